import { getIntrospectionQuery } from 'graphql/index.js';

/** What is not a list, and yet work: parsing, validation, variables, introspection. */
export type Hostile = { name: string; query: string; variables?: object };

const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');

/** As much of each as the limits of length, tokens, depth and aliases permit. */
export const hostile: Hostile[] = [
  { name: 'introspection, whole', query: getIntrospectionQuery({ inputValueDeprecation: true }) },
  {
    name: 'introspection under 30 aliases',
    query: `{ ${times(
      30,
      n =>
        `a${n}: __schema { types { name description fields { name description args { name description type { name kind ofType { name ofType { name } } } } type { name kind ofType { name ofType { name } } } } inputFields { name } enumValues { name description } } }`,
    )} }`,
  },
  { name: 'one field 980 times', query: `{ getLibraryTracks(first: 1) { ${times(980, () => 'id')} } }` },
  {
    name: 'a selection 160 times, to be merged',
    query: `{ ${times(160, () => 'getLibraryTracks { ...F }')} } fragment F on LibraryTrack { id title metadata { isrc } }`,
  },
  {
    name: '120 fragments in each other',
    query: `{ getLibraryTracks { ...F0 } } ${times(120, n => `fragment F${n} on LibraryTrack { title ...F${n + 1} }`)} fragment F120 on LibraryTrack { id }`,
  },
  {
    name: '24 fragments that spread all that follow',
    query: `{ getLibraryTracks { ...F0 } } ${times(24, n => `fragment F${n} on LibraryTrack { id ${times(24 - n, k => `...F${n + k + 1}`)} }`)} fragment F24 on LibraryTrack { id }`,
  },
  {
    name: 'a name of 90,000 letters',
    query: `{ getLibraryTracks(first: 27) { ${'x'.repeat(90_000)}: title } }`,
  },
  { name: '150 unknown fields of long names', query: `{ ${times(150, n => 'x'.repeat(600) + n)} }` },
  {
    name: 'a list of 20,000 nulls as a variable',
    query: 'mutation ($ids: [ID!]!) { addTracksToLibrary(input: {tidalTrackIds: $ids}) { __typename } }',
    variables: { ids: Array(20_000).fill(null) },
  },
  {
    name: 'a list of 30,000 ids as a variable',
    query: 'mutation ($ids: [ID!]!) { addTracksToLibrary(input: {tidalTrackIds: $ids}) { __typename } }',
    variables: { ids: Array(30_000).fill('1') },
  },
  {
    name: 'a variable of 4,000 lists in each other',
    query: 'query ($id: ID!) { getLibraryTrack(id: $id) { id } }',
    variables: { id: JSON.parse('['.repeat(4_000) + ']'.repeat(4_000)) as object },
  },
  {
    name: 'a filter of 9,000 statuses',
    query:
      'query ($s: [IngestionStatus!]) { libraryAlbums(first: 200, filter: {status: $s}) { nodes { id } } }',
    variables: { s: Array(9_000).fill('FAILED') },
  },
  {
    name: '30 filters by a status that nothing has',
    query: `{ ${times(30, n => `a${n}: libraryAlbums(first: 200, filter: {status: FAILED}) { totalCount nodes { id } }`)} }`,
  },
];
