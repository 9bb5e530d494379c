import { readFileSync } from 'node:fs';
import type { Reply } from './tidalServer.ts';

/**
 * An answer of TIDAL's from the folder `answers`. The values are made up; the shapes are those of recorded answers and
 * of TIDAL's OpenAPI document 1.10, with all the fields that we do not read.
 */
export function readAnswer(name: string): Reply {
  return JSON.parse(readFileSync(new URL(`answers/${name}.json`, import.meta.url), 'utf8'));
}
