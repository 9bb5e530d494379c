import { z } from 'zod';
import type { AlbumListing } from '../catalog.ts';
import {
  firstIncluded,
  type Included,
  includedSchema,
  readableListOf,
  readShape,
  referenceKey,
} from '../document/document.ts';
import type { TidalApi } from '../http/api.ts';
import { TidalApiError } from '../http/error.ts';
import { describeTrack, trackSchema } from '../tracks/track.ts';
import { fetchTrackIsrcs } from '../tracks/trackIsrcs.ts';

/** 10,000 items at TIDAL's 20 a page: more than any album, and an end to a listing that has none. */
const maxPages = 500;

const include = 'items.artists';

/** An item without numbers keeps its place in the listing, behind those of the first volume. */
const unnumbered = { volumeNumber: 1, trackNumber: Number.MAX_SAFE_INTEGER };

const itemSchema = z.object({
  id: z.string(),
  type: z.string(),
  meta: z
    .object({
      volumeNumber: z.number().catch(unnumbered.volumeNumber),
      trackNumber: z.number().catch(unnumbered.trackNumber),
    })
    .catch(unnumbered),
});

const pageSchema = z.object({
  data: z.array(z.unknown()).pipe(readableListOf(itemSchema)),
  links: z.object({ next: z.string().nullish().catch(null) }).catch({ next: null }),
  included: includedSchema,
});

type Item = z.infer<typeof itemSchema>;
type Page = z.infer<typeof pageSchema>;

export type AlbumListingQuestion = {
  albumId: string;
  countryCode: string;
  /** The album's `numberOfItems`, tracks and videos, if it is known. */
  expectedItems: number | undefined;
  /** On the clock, in ms; for all pages and ISRCs together. */
  deadline: number;
};

/** Asks for the tracks of an album. TIDAL's failures are told in `problem` and not thrown. */
export async function getAlbumListing(api: TidalApi, question: AlbumListingQuestion): Promise<AlbumListing> {
  const { items, included, problems } = await readPages(api, question);
  const { expectedItems, countryCode } = question;
  if (items.length < (expectedItems ?? 1)) {
    const total = expectedItems === undefined ? '' : ` of ${expectedItems}`;
    problems.push(`listed for ${countryCode}: ${items.length}${total} items`);
  }

  const { tracks, unreadable } = readTracks(items, included);
  if (unreadable.length > 0) {
    const more = unreadable.length > 10 ? ` and ${unreadable.length - 10} more` : '';
    problems.push(`tracks named without their data: ${unreadable.slice(0, 10).join(', ')}${more}`);
  }

  const isrcProblem = await completeIsrcs(api, tracks, question);
  if (isrcProblem !== null) problems.push(isrcProblem);
  return { tracks, problem: problems.length === 0 ? null : problems.join('; ') };
}

async function readPages(api: TidalApi, question: AlbumListingQuestion) {
  const items = new Map<string, Item>();
  const included: Included = new Map();
  const problems: string[] = [];
  const followed = new Set<string>();
  let cursor: Record<string, string> = {};

  for (let number = 1; ; number += 1) {
    let page: Page;
    try {
      page = await readPage(api, question, number, cursor);
    } catch (error) {
      if (!(error instanceof TidalApiError)) throw error;
      problems.push(`page ${number} and what follows it is missing: ${error.message}`);
      break;
    }
    const itemsBefore = items.size;
    for (const item of page.data) items.set(referenceKey(item), item);
    for (const [key, resource] of page.included) included.set(key, resource);

    const { next } = page.links;
    if (!next) break;
    const repeatsItself = page.data.length > 0 && items.size === itemsBefore;
    if (repeatsItself || followed.has(next) || number === maxPages) {
      problems.push(`the listing does not end: given up after page ${number}`);
      break;
    }
    followed.add(next);
    cursor = readCursor(next);
  }
  return { items: [...items.values()], included, problems };
}

async function readPage(
  api: TidalApi,
  { albumId, countryCode, deadline }: AlbumListingQuestion,
  number: number,
  cursor: Record<string, string>,
): Promise<Page> {
  const subject = `page ${number} of the items of album ${albumId}`;
  const body = await api.read(subject, deadline, (client, init) =>
    client.GET('/albums/{id}/relationships/items', {
      params: { path: { id: albumId }, query: { ...cursor, countryCode, include } },
      ...init,
    }),
  );
  return readShape(pageSchema, body, subject);
}

/**
 * The parameters of a `links.next`. Its address is not followed: it omits `/v2`, and one that named another
 * host would be sent the token.
 */
function readCursor(next: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(next.split('?')[1]));
}

/** The tracks in their order, without videos; and the ids of those that TIDAL names, but says nothing of. */
function readTracks(items: Item[], included: Included) {
  const tracks: AlbumListing['tracks'] = [];
  const unreadable: string[] = [];
  const inOrder = items.toSorted(
    ({ meta: a }, { meta: b }) => a.volumeNumber - b.volumeNumber || a.trackNumber - b.trackNumber,
  );
  for (const item of inOrder) {
    if (item.type !== 'tracks') continue;
    const track = firstIncluded(included, [item], trackSchema);
    if (track === null) unreadable.push(item.id);
    else tracks.push({ position: tracks.length + 1, ...describeTrack(track, included) });
  }
  return { tracks, unreadable };
}

/** Fills in the ISRCs that the listing leaves out, as far as TIDAL gives them; says what failed. */
async function completeIsrcs(
  api: TidalApi,
  tracks: AlbumListing['tracks'],
  { countryCode, deadline }: AlbumListingQuestion,
): Promise<string | null> {
  const ids = tracks.filter(track => track.isrc === null).map(track => track.tidalId);
  const { isrcs, failures } = await fetchTrackIsrcs(api, ids, countryCode, deadline);
  for (const track of tracks) track.isrc ??= isrcs.get(track.tidalId) ?? null;
  const [first] = failures;
  if (first === undefined) return null;
  const missing = tracks.filter(track => track.isrc === null).length;
  return `tracks left without ISRC: ${missing} of ${tracks.length}: ${first.message}`;
}
