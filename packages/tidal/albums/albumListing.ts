import type { AlbumListing, ListingPart, OwedListing } from '../catalog.ts';
import { TidalApiError } from '../http/error.ts';
import type { Asking } from '../http/request.ts';
import { chunkSize, chunksOf } from '../tracks/chunks.ts';
import type { TrackAnswer } from '../tracks/tracksById.ts';
import { inOrder, isOwed } from './listingOrder.ts';
import type { ListingPage, PageQuestion } from './listingPage.ts';
import { namedWithoutData } from './listingProblem.ts';
import { ListingReader, unreadListing } from './listingReader.ts';

/** The questions that a listing is put together of. */
export type ListingQuestions = {
  page(question: Omit<PageQuestion, 'countryCode'>, asking: Asking): Promise<ListingPage | null>;
  tracks(ids: string[], asking: Asking): Promise<Map<string, TrackAnswer>>;
};

/**
 * Asks for the tracks of an album until all are there, or the time is up. TIDAL's failures are told in `problem` and
 * not thrown; what could not be asked for is in `owed`.
 *
 * @param expectedItems the album's `numberOfItems`, tracks and videos; null if it is not known
 */
export async function getAlbumListing(
  ask: ListingQuestions,
  {
    albumId,
    countryCode,
    expectedItems,
  }: { albumId: string; countryCode: string; expectedItems: number | null },
  asking: Asking,
): Promise<AlbumListing> {
  const reader = new ListingReader(unreadListing(expectedItems));
  const problems: string[] = [];
  const { owed } = reader;

  try {
    while (owed.nextPage !== null) {
      const question = { albumId, page: owed.nextPage, number: reader.pageNumber, mayBeGone: false };
      const page = await ask.page(question, asking);
      if (page === null) break;
      reader.addPage(page);
      if (page.next === 'unreadable') {
        problems.push(
          `what follows page ${question.number} is missing: ${nextPageUnreadable(question).message}`,
        );
        break;
      }
    }
  } catch (error) {
    if (!(error instanceof TidalApiError)) throw error;
    problems.push(`page ${reader.pageNumber} and what follows it is missing: ${error.message}`);
  }
  if (reader.endless !== null) problems.push(reader.endless);

  const items = owed.places.length + owed.videos.length;
  if (items < (expectedItems ?? 1)) {
    const total = expectedItems === null ? '' : ` of ${expectedItems}`;
    problems.push(`listed for ${countryCode}: ${items}${total} items`);
  }

  const failures = await askForTracks(ask, reader, asking);
  if (reader.unreadable.length > 0) problems.push(namedWithoutData(reader.unreadable));
  const [failure] = failures;
  if (failure !== undefined) {
    const { trackIds, places } = owed;
    problems.push(
      `tracks missing, or left without ISRC: ${trackIds.length} of ${places.length}: ${failure.message}`,
    );
  }

  return {
    tracks: positioned(reader),
    problem: problems.length === 0 ? null : problems.join('; '),
    owed: isOwed(owed) ? owed : null,
  };
}

/**
 * Asks one more question for a listing that is still owed: for its next page, or for 20 tracks by their ids.
 *
 * @throws TidalApiError when TIDAL cannot be asked
 */
export async function continueAlbumListing(
  ask: ListingQuestions,
  albumId: string,
  owed: OwedListing,
  asking: Asking,
): Promise<ListingPart> {
  const reader = new ListingReader(owed);
  let problem: string | null = null;
  if (owed.nextPage !== null) {
    const question = { albumId, page: owed.nextPage, number: reader.pageNumber, mayBeGone: true };
    const page = await ask.page(question, asking);
    if (page === null) {
      reader.endPages();
      problem = `TIDAL has no page ${question.number} of the items of album ${albumId}`;
    } else {
      reader.addPage(page);
      problem = reader.endless;
      if (page.next === 'unreadable' && reader.news === 0) throw nextPageUnreadable(question);
    }
  } else {
    const answers = await ask.tracks(owed.trackIds.slice(0, chunkSize), asking);
    reader.addAnswers(answers);
    const failure = [...answers.values()].find(answer => answer instanceof TidalApiError);
    if (failure !== undefined && reader.owed.trackIds.length === owed.trackIds.length) throw failure;
  }
  const { tracks, isrcs, unreadable } = reader;
  return { tracks: [...tracks.values()], isrcs, unreadable, owed: reader.owed, problem };
}

function nextPageUnreadable({ albumId, number }: Omit<PageQuestion, 'countryCode'>): TidalApiError {
  const message = `TIDAL's answer for page ${number} of the items of album ${albumId} names a next page that cannot be read`;
  return new TidalApiError(message, { retryable: true, status: 200 });
}

/** Asks for all tracks that are owed, a request for each 20 at the same time. */
async function askForTracks(
  ask: ListingQuestions,
  reader: ListingReader,
  asking: Asking,
): Promise<TidalApiError[]> {
  const failures: TidalApiError[] = [];
  const chunks = chunksOf(reader.owed.trackIds).map(async ids => {
    try {
      const answers = await ask.tracks(ids, asking);
      reader.addAnswers(answers);
      failures.push(...[...answers.values()].filter(answer => answer instanceof TidalApiError));
    } catch (error) {
      if (!(error instanceof TidalApiError)) throw error;
      failures.push(error);
    }
  });
  await Promise.all(chunks);
  return failures;
}

/** The tracks in their order. One that is still owed leaves its position free. */
function positioned({ owed, tracks }: ListingReader): AlbumListing['tracks'] {
  const known = inOrder(owed.places).filter(id => tracks.has(id) || owed.trackIds.includes(id));
  return known.flatMap((id, index) => {
    const track = tracks.get(id);
    return track === undefined ? [] : { position: index + 1, ...track };
  });
}
