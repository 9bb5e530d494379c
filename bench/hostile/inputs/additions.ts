import { tidalIds } from '../catalogue.ts';
import { type Input, send, type Target } from '../target.ts';

/** Points 15 to 18: additions that ask much of TIDAL, and of what TIDAL answers in other words; then they are removed. */
export function additionInputs(users: { albums: Target; bulks: Target; odd: Target }): Input[] {
  return [
    addAndRemove('15: albums of 120 tracks', users.albums, 'Album', tidalIds.large),
    bulkOfAlbums(users.bulks),
    addAndRemove('16: albums in other shapes', users.odd, 'Album', tidalIds.odderShapes),
    addAndRemove('17, 18: names and ISRCs as they come', users.odd, 'Track', tidalIds.odd),
  ];
}

/** One after the other, in turns. What TIDAL has no time for is refused in words, and is no error. */
function addAndRemove(name: string, target: Target, noun: 'Album' | 'Track', ids: string[]): Input {
  let turn = 0;
  const listing =
    noun === 'Album' ? 'trackListing { title isrc ingestion { status } }' : 'isrc ingestion { status }';
  const addition = `mutation ($id: ID!) { add${noun}ToLibrary(input: {tidal${noun}Id: $id}) {
    __typename ... on Library${noun} { id ${listing} } ... on DuplicateLibraryItemError { existingItemId } } }`;
  const removal = `mutation ($id: ID!) { remove${noun}FromLibrary(id: $id) }`;
  return {
    name,
    pauseMs: 500,
    async once() {
      const added = await send(target, {
        body: { query: addition, variables: { id: ids[turn++ % ids.length] } },
      });
      if (added.status === 429) return null;
      const answer = JSON.parse(added.text).data?.[`add${noun}ToLibrary`];
      if (added.status !== 200 || !answer)
        return `the addition is ${added.status}: ${added.text.slice(0, 300)}`;
      if (answer.__typename === 'TidalApiUnavailableError') return null;
      const id = answer.id ?? answer.existingItemId;
      const removed = await send(target, { body: { query: removal, variables: { id } } });
      if (removed.status === 429 || /:true/.test(removed.text)) return null;
      return `the removal is ${removed.status}: ${removed.text.slice(0, 300)}`;
    },
  };
}

function bulkOfAlbums(target: Target): Input {
  const addition = `mutation ($ids: [ID!]!) { addAlbumsToLibrary(input: {tidalAlbumIds: $ids}) {
    __typename ... on LibraryAlbum { id trackListing { title isrc ingestion { status reason } isIndexed } }
    ... on DuplicateLibraryItemError { existingItemId } } }`;
  return {
    name: '15: sixty albums at once',
    pauseMs: 1_000,
    async once() {
      const added = await send(target, { body: { query: addition, variables: { ids: tidalIds.usual } } });
      if (added.status === 429) return null;
      const answers = JSON.parse(added.text).data?.addAlbumsToLibrary;
      if (added.status !== 200 || !answers) return `the bulk is ${added.status}: ${added.text.slice(0, 300)}`;
      const ids = answers.flatMap(
        (answer: { id?: string; existingItemId?: string }) => answer.id ?? answer.existingItemId ?? [],
      );
      // Thirty aliases are allowed.
      for (let at = 0; at < ids.length; at += 30) {
        const fields = ids
          .slice(at, at + 30)
          .map((id: string, n: number) => `a${n}: removeAlbumFromLibrary(id: "${id}")`);
        const removed = await send(target, { body: { query: `mutation { ${fields.join(' ')} }` } });
        if (removed.status !== 200 && removed.status !== 429)
          return `the removal is ${removed.status}: ${removed.text.slice(0, 300)}`;
      }
      return null;
    },
  };
}
