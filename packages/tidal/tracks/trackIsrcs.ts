import { z } from 'zod';
import { readableListOf, readShape } from '../document/document.ts';
import { text } from '../document/text.ts';
import type { TidalApi } from '../http/api.ts';
import { TidalApiError } from '../http/error.ts';
import { chunksOf } from './chunks.ts';

const trackSchema = z.object({
  id: z.string(),
  attributes: z.object({ isrc: text.refine(isrc => isrc.trim() !== '') }),
});

const documentSchema = z.object({ data: z.array(z.unknown()).pipe(readableListOf(trackSchema)) });

/**
 * Asks for the ISRCs of tracks by their ids, 20 at a time.
 *
 * @param deadline on the clock, in ms
 * @returns ISRCs by TIDAL id, as TIDAL gave them, without the tracks that TIDAL does not know or has no ISRC
 *   for; and the failures of the chunks that could not be read
 */
export async function fetchTrackIsrcs(
  api: TidalApi,
  tidalIds: string[],
  countryCode: string,
  deadline: number,
): Promise<{ isrcs: Map<string, string>; failures: TidalApiError[] }> {
  const isrcs = new Map<string, string>();
  const failures: TidalApiError[] = [];
  await Promise.all(
    chunksOf([...new Set(tidalIds)]).map(async ids => {
      try {
        for (const [id, isrc] of await fetchChunk(api, ids, countryCode, deadline)) isrcs.set(id, isrc);
      } catch (error) {
        if (!(error instanceof TidalApiError)) throw error;
        failures.push(error);
      }
    }),
  );
  return { isrcs, failures };
}

async function fetchChunk(api: TidalApi, ids: string[], countryCode: string, deadline: number) {
  const subject = `the ISRCs of tracks ${ids.join(', ')}`;
  const body = await api.read(subject, deadline, (client, init) =>
    client.GET('/tracks', { params: { query: { countryCode, 'filter[id]': ids } }, ...init }),
  );
  const { data } = readShape(documentSchema, body, subject);
  return data
    .filter(track => ids.includes(track.id))
    .map(track => [track.id, track.attributes.isrc] as const);
}
