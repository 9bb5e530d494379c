import type { CatalogTrack } from '../catalog.ts';
import { readShape } from '../document/document.ts';
import type { TidalApi } from '../http/api.ts';
import { TidalApiError } from '../http/error.ts';
import type { Asking } from '../http/request.ts';
import { chunksOf } from './chunks.ts';
import { readTrack, trackInclude, trackSchema } from './track.ts';
import { fetchTracksById, type TrackAnswer } from './tracksById.ts';

/** Tracks to be asked for together. */
export type TracksFetch = {
  /** Adds an id before `begin`. Null when TIDAL does not know it, or not in the country. */
  add(tidalId: string): Promise<CatalogTrack | null>;
  /** Asks for what was added, 20 at a time. */
  begin(): void;
};

export function fetchTracks(api: TidalApi, countryCode: string, asking: Asking): TracksFetch {
  const wanted = new Map<string, PromiseWithResolvers<CatalogTrack | null>>();

  async function answerChunk(ids: string[]): Promise<void> {
    const question = { ids, countryCode, include: trackInclude, subject: 'tracks' };
    const answers = await fetchTracksById(api, question, asking).catch((error: unknown) => error);
    for (const id of ids) wanted.get(id)?.resolve(answerOne(id, answers));
  }

  return {
    add(tidalId) {
      const answer = Promise.withResolvers<CatalogTrack | null>();
      wanted.set(tidalId, answer);
      return answer.promise;
    },
    begin() {
      for (const ids of chunksOf([...wanted.keys()])) void answerChunk(ids);
    },
  };
}

/** @param answers those of the chunk, or why there are none */
async function answerOne(id: string, answers: unknown): Promise<CatalogTrack | null> {
  if (!(answers instanceof Map)) throw answers;
  const answer: TrackAnswer = answers.get(id) ?? null;
  if (answer === null) return null;
  if (answer instanceof TidalApiError) throw answer;
  return readTrack(readShape(trackSchema, answer.resource, `track ${id}`), answer.included);
}
