/** What came of an addition. */
export type AdditionAnswer = {
  /** `LibraryTrack`, `LibraryAlbum`, or the error of the union. */
  __typename: string;
  /** Of the item in the library, added now or before. */
  id?: string;
  message?: string;
};

export type ListedRecording = {
  title: string;
  isrc: string | null;
  ingestion: { status: string; reason: string | null } | null;
};

export type LibraryItems = {
  track: ListedRecording;
  album: { title: string; trackListing: ListedRecording[] };
};

export type LibraryApi = {
  addTrack(tidalTrackId: string): Promise<AdditionAnswer>;
  addAlbum(tidalAlbumId: string): Promise<AdditionAnswer>;
  /** Both by their `id` in the library. */
  getItems(trackId: string, albumId: string): Promise<LibraryItems>;
};

const otherAnswers = `
  ... on DuplicateLibraryItemError { message id: existingItemId }
  ... on CatalogItemNotFoundError { message }
  ... on TidalApiUnavailableError { message }
`;
const addTrack = `mutation ($id: ID!) {
  answer: addTrackToLibrary(input: { tidalTrackId: $id }) { __typename ... on LibraryTrack { id } ${otherAnswers} }
}`;
const addAlbum = `mutation ($id: ID!) {
  answer: addAlbumToLibrary(input: { tidalAlbumId: $id }) { __typename ... on LibraryAlbum { id } ${otherAnswers} }
}`;
const getItems = `query ($trackId: ID!, $albumId: ID!) {
  track: getLibraryTrack(id: $trackId) { ...recording }
  album: getLibraryAlbum(id: $albumId) { title trackListing { ...listed } }
}
fragment recording on LibraryTrack { title isrc ingestion { status reason } }
fragment listed on TrackInfo { title isrc ingestion { status reason } }`;

/**
 * The running API, as any client sees it.
 *
 * @param address `http://127.0.0.1:4000`
 * @param signal ends what is under way
 */
export function libraryApiAt(address: string, signal: AbortSignal): LibraryApi {
  async function ask<Data>(query: string, variables: Record<string, string>): Promise<Data> {
    const response = await fetch(`${address}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
      signal,
    });
    const answer = (await response.json()) as { data?: Data | null; errors?: { message: string }[] };
    if (answer.data && !answer.errors) return answer.data;
    throw new Error(
      `the API answered ${response.status}: ${answer.errors?.[0]?.message ?? response.statusText}`,
    );
  }
  return {
    addTrack: async id => (await ask<{ answer: AdditionAnswer }>(addTrack, { id })).answer,
    addAlbum: async id => (await ask<{ answer: AdditionAnswer }>(addAlbum, { id })).answer,
    getItems: (trackId, albumId) => ask(getItems, { trackId, albumId }),
  };
}
