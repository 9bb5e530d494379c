import { readIsrc } from '@segue/ingestion/isrc.ts';

/** Normalised where it is valid, and as TIDAL gave it where it is not, so that people can see what is wrong. */
export function isrcToStore(given: string | null): string | null {
  const reading = readIsrc(given);
  return 'isrc' in reading ? reading.isrc : given;
}
