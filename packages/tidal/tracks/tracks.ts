import { z } from 'zod';
import type { CatalogTrack } from '../catalog.ts';
import { type Included, includedSchema, readableListOf, readShape } from '../document/document.ts';
import type { TidalApi } from '../http/api.ts';
import { TidalApiError } from '../http/error.ts';
import { chunksOf } from './chunks.ts';
import { getTrack, readTrack, trackInclude, trackSchema } from './track.ts';

const documentSchema = z.object({
  data: z.array(z.unknown()).pipe(readableListOf(z.looseObject({ id: z.string() }))),
  included: includedSchema,
});

/** Tracks to be asked for together. */
export type TracksFetch = {
  /** Adds an id before `begin`. Null when TIDAL does not know it, or not in the country. */
  add(tidalId: string): Promise<CatalogTrack | null>;
  /** Asks for what was added, 20 at a time. */
  begin(): void;
};

/** @param deadline on the clock, in ms */
export function fetchTracks(api: TidalApi, countryCode: string, deadline: number): TracksFetch {
  const wanted = new Map<string, PromiseWithResolvers<CatalogTrack | null>>();

  async function answerChunk(ids: string[]): Promise<void> {
    const page = await fetchChunk(api, ids, countryCode, deadline).catch((error: unknown) => error);
    for (const id of ids) wanted.get(id)?.resolve(answerOne(id, page, ids.length));
  }

  async function answerOne(id: string, page: unknown, chunkLength: number): Promise<CatalogTrack | null> {
    if (page instanceof Map) {
      const found: { resource: unknown; included: Included } | undefined = page.get(id);
      if (found === undefined) return null;
      return readTrack(readShape(trackSchema, found.resource, `track ${id}`), found.included);
    }
    // A single id that TIDAL finds malformed is no reason to refuse the others.
    const maySpoilOthers = page instanceof TidalApiError && page.status === 400 && chunkLength > 1;
    if (maySpoilOthers) return await getTrack(api, id, countryCode, deadline);
    throw page;
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

async function fetchChunk(api: TidalApi, ids: string[], countryCode: string, deadline: number) {
  const subject = `tracks ${ids.join(', ')}`;
  const body = await api.read(subject, deadline, (client, init) =>
    client.GET('/tracks', {
      params: { query: { countryCode, 'filter[id]': ids, include: trackInclude } },
      ...init,
    }),
  );
  const { data, included } = readShape(documentSchema, body, subject);
  return new Map(data.map(resource => [resource.id, { resource, included }]));
}
