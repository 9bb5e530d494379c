import { existsSync, readFileSync } from 'node:fs';

/** Recorded and constructed answers of TIDAL's, kept beside the checkout and not in it. */
const folder = new URL('../../../../shared/tidal/', import.meta.url);

/** Why the tests on these answers are skipped; null where the answers are. */
export const sharedAnswersMissing = existsSync(folder) ? null : `no answers of TIDAL's in ${folder.pathname}`;

/** Reads one of them, `recorded/….json` or `constructed/….json`. */
export function readSharedAnswer(name: string) {
  return JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
}
