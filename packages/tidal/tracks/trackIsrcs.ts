import { z } from 'zod';
import { text } from '../document/text.ts';
import type { TidalApi } from '../http/api.ts';
import { TidalApiError } from '../http/error.ts';
import type { Asking } from '../http/request.ts';
import { chunksOf } from './chunks.ts';
import { fetchTracksById, type TrackAnswer } from './tracksById.ts';

const schema = z.object({ attributes: z.object({ isrc: text.refine(isrc => isrc.trim() !== '') }) });

/** What TIDAL said of tracks, by id. A track in neither map is not known to TIDAL, or has no ISRC there. */
export type TrackIsrcs = {
  /** As TIDAL gave them. */
  isrcs: Map<string, string>;
  /** Why TIDAL gave no answer for an id; ids of one failed request share one error. */
  failures: Map<string, TidalApiError>;
};

/** Asks for the ISRCs of tracks by their ids, 20 at a time. */
export async function fetchTrackIsrcs(
  api: TidalApi,
  tidalIds: string[],
  countryCode: string,
  asking: Asking,
): Promise<TrackIsrcs> {
  const isrcs = new Map<string, string>();
  const failures = new Map<string, TidalApiError>();
  const chunks = chunksOf([...new Set(tidalIds)]).map(async ids => {
    for (const [id, answer] of await fetchChunk(api, ids, countryCode, asking)) {
      if (answer instanceof TidalApiError) failures.set(id, answer);
      else {
        const isrc = readIsrc(answer);
        if (isrc !== null) isrcs.set(id, isrc);
      }
    }
  });
  await Promise.all(chunks);
  return { isrcs, failures };
}

/** The ISRC of a track that was asked for by its id; null where TIDAL has none. */
export function readIsrc(answer: Exclude<TrackAnswer, TidalApiError>): string | null {
  return schema.safeParse(answer?.resource).data?.attributes.isrc ?? null;
}

async function fetchChunk(
  api: TidalApi,
  ids: string[],
  countryCode: string,
  asking: Asking,
): Promise<Map<string, TrackAnswer>> {
  try {
    const question = { ids, countryCode, include: undefined, subject: 'the ISRCs of tracks' };
    return await fetchTracksById(api, question, asking);
  } catch (error) {
    if (!(error instanceof TidalApiError)) throw error;
    return new Map(ids.map(id => [id, error]));
  }
}
