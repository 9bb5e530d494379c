import type { CatalogAlbumTrack, OwedListing } from '../catalog.ts';
import { firstIncluded, type Included } from '../document/document.ts';
import type { PageParameters } from '../document/nextPage.ts';
import { TidalApiError } from '../http/error.ts';
import { describeTrack, trackSchema } from '../tracks/track.ts';
import { readIsrc } from '../tracks/trackIsrcs.ts';
import type { TrackAnswer } from '../tracks/tracksById.ts';
import type { ListingPage } from './listingPage.ts';

/** 10,000 items at TIDAL's 20 a page: more than any album, and an end to a listing that has none. */
const maxPages = 500;

/** Nothing of an album's listing is read yet. */
export function unreadListing(expectedItems: number | null): OwedListing {
  return { nextPage: {}, pagesRead: [], expectedItems, places: [], videos: [], trackIds: [] };
}

/** A listing that is being put together of the answers to several questions. */
export class ListingReader {
  readonly owed: OwedListing;
  /** Those read by this reader, by id. */
  readonly tracks = new Map<string, CatalogAlbumTrack>();
  /** ISRCs of tracks that another reader has read, by id. */
  readonly isrcs = new Map<string, string>();
  /** Tracks of which TIDAL says nothing that can be read. */
  readonly unreadable: string[] = [];
  /** How many items the last page has brought that were not known. */
  news = 0;
  /** Why pages are left out for good. */
  endless: string | null = null;
  /** An artist that is included with one page may be named on the next. */
  readonly #included: Included = new Map();
  readonly #named: Set<string>;

  constructor(owed: OwedListing) {
    this.owed = structuredClone(owed);
    this.#named = new Set(owed.places.map(({ id }) => id));
  }

  /** The number of the page that comes next, from 1. */
  get pageNumber(): number {
    return this.owed.pagesRead.length + (this.#wasRead(this.owed.nextPage) ? 0 : 1);
  }

  /**
   * Takes in the page that `owed.nextPage` asks for. One that does not say what comes after it stays owed, so that it is asked
   * for again, though its items are known then.
   */
  addPage(page: ListingPage): void {
    const { owed } = this;
    const wasRead = this.#wasRead(owed.nextPage);
    if (!wasRead) owed.pagesRead.push(pageKey(owed.nextPage));
    for (const [key, resource] of page.included) this.#included.set(key, resource);

    this.news = 0;
    for (const { id, type, meta } of page.items) {
      if (type !== 'tracks') {
        if (owed.videos.includes(id)) continue;
        owed.videos.push(id);
        this.news += 1;
        continue;
      }
      if (this.#named.has(id)) continue;
      this.#named.add(id);
      this.news += 1;
      owed.places.push({ id, volume: meta.volumeNumber, number: meta.trackNumber });
      this.#addListed(id);
    }
    if (page.next === 'unreadable') return;
    const repeatsItself = page.items.length > 0 && this.news === 0 && !wasRead;
    this.#turnTo(page.next, repeatsItself);
  }

  /** Says that there are no more pages. */
  endPages(): void {
    this.owed.nextPage = null;
  }

  /** Takes in what TIDAL said of tracks that were asked for by id. What could not be asked for stays owed. */
  addAnswers(answers: Map<string, TrackAnswer>): void {
    const answered = new Set<string>();
    for (const [id, answer] of answers) {
      if (answer instanceof TidalApiError) continue;
      answered.add(id);
      this.#addAnswer(id, answer);
    }
    this.owed.trackIds = this.owed.trackIds.filter(id => !answered.has(id));
  }

  #addListed(id: string): void {
    const track = firstIncluded(this.#included, [{ type: 'tracks', id }], trackSchema);
    if (track !== null) this.tracks.set(id, describeTrack(track, this.#included));
    if (track?.attributes.isrc == null) this.owed.trackIds.push(id);
  }

  #addAnswer(id: string, answer: Exclude<TrackAnswer, TidalApiError>): void {
    const isrc = readIsrc(answer);
    const listed = this.tracks.get(id);
    if (listed !== undefined) {
      if (isrc !== null) listed.isrc = isrc;
      return;
    }
    // A track of the page before, perhaps, that another reader has described.
    if (isrc !== null) this.isrcs.set(id, isrc);
    const { success, data } = trackSchema.safeParse(answer?.resource);
    // Under the id that the album names, even where TIDAL answers with another.
    if (success) this.tracks.set(id, { ...describeTrack(data, answer?.included ?? new Map()), tidalId: id });
    else this.unreadable.push(id);
  }

  #wasRead(page: PageParameters | null): boolean {
    return this.owed.pagesRead.includes(pageKey(page));
  }

  #turnTo(next: PageParameters | null, repeatsItself: boolean): void {
    const { owed } = this;
    owed.nextPage = next;
    if (next === null) return;
    if (!repeatsItself && !this.#wasRead(next) && owed.pagesRead.length < maxPages) return;
    this.endless = `the listing does not end: given up after page ${owed.pagesRead.length}`;
    owed.nextPage = null;
  }
}

/** One text for one page: the database keeps parameters in an order of its own. */
function pageKey(page: PageParameters | null): string {
  return JSON.stringify(page, Object.keys(page ?? {}).toSorted());
}
