import { z } from 'zod';
import { type Included, idSchema, includedSchema, readableListOf, readShape } from '../document/document.ts';
import { paging, readNextPage } from '../document/nextPage.ts';
import { notFound, type TidalApi } from '../http/api.ts';
import { TidalApiError } from '../http/error.ts';
import type { Asking } from '../http/request.ts';

/** A track resource as it came, and what came along with it; still to be read. */
export type FoundTrack = { resource: unknown; included: Included };

/** What TIDAL says of one id: the track, null where it has none or not in the country, or that it could not be asked. */
export type TrackAnswer = FoundTrack | null | TidalApiError;

export type TracksQuestion = {
  /** 20 at the most. */
  ids: string[];
  countryCode: string;
  /** What is to come along. */
  include: string | undefined;
  /** What is asked for, in the words of an error message: `the ISRCs of tracks`. */
  subject: string;
};

const resourceSchema = z.looseObject({ id: idSchema });
const listSchema = z.object({ data: z.array(z.unknown()), included: includedSchema, ...paging });
const singleSchema = z.object({ data: resourceSchema, included: includedSchema });

type TrackList = {
  found: Map<string, FoundTrack>;
  /** Whether TIDAL does not have the tracks that are not found. */
  isWhole: boolean;
};

/**
 * Asks for tracks by their ids in one request.
 *
 * An id is asked for alone where the list cannot say what became of it: TIDAL answers some tracks under another id than
 * the one that was asked for, and refuses a whole list for one id that it finds malformed. A list can also go on elsewhere, or
 * have members that cannot be read.
 *
 * @returns an answer for each id
 * @throws TidalApiError when TIDAL cannot be asked for the list
 */
export async function fetchTracksById(
  api: TidalApi,
  question: TracksQuestion,
  asking: Asking,
): Promise<Map<string, TrackAnswer>> {
  const { ids } = question;
  const list = await fetchList(api, question, asking);
  const answers = ids.map(async (id): Promise<[string, TrackAnswer]> => {
    const found = list?.found.get(id);
    if (found !== undefined) return [id, found];
    return [id, list?.isWhole ? null : await fetchAlone(api, id, question, asking)];
  });
  return new Map(await Promise.all(answers));
}

/** @returns null when one of several ids may have spoiled the list */
async function fetchList(
  api: TidalApi,
  { ids, countryCode, include, subject }: TracksQuestion,
  asking: Asking,
): Promise<TrackList | null> {
  const about = `${subject} ${ids.join(', ')}`;
  const query = { countryCode, 'filter[id]': ids, ...(include !== undefined && { include }) };
  try {
    const body = await api.read(about, asking, (client, init) =>
      client.GET('/tracks', { params: { query }, ...init }),
    );
    const { data, included, ...rest } = readShape(listSchema, body, about);
    const resources = readableListOf(resourceSchema).parse(data);
    const isWhole =
      readNextPage(rest) === null &&
      resources.length === data.length &&
      resources.every(resource => ids.includes(resource.id));
    return { found: new Map(resources.map(resource => [resource.id, { resource, included }])), isWhole };
  } catch (error) {
    if (error instanceof TidalApiError && error.status === 400 && ids.length > 1) return null;
    throw error;
  }
}

async function fetchAlone(
  api: TidalApi,
  id: string,
  { countryCode, include }: TracksQuestion,
  asking: Asking,
): Promise<TrackAnswer> {
  const about = `track ${id}`;
  const query = { countryCode, ...(include !== undefined && { include }) };
  try {
    const body = await api.find(about, asking, (client, init) =>
      client.GET('/tracks/{id}', { params: { path: { id }, query }, ...init }),
    );
    if (body === notFound) return null;
    const { data, included } = readShape(singleSchema, body, about);
    return { resource: data, included };
  } catch (error) {
    if (error instanceof TidalApiError) return error;
    throw error;
  }
}
