import { randomBytes } from 'node:crypto';
import fc from 'fast-check';

const hostileText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    '\0',
    '\ud800',
    '__proto__',
    'constructor',
    '0',
    '-1',
    '1e400',
    '9'.repeat(400),
    'null',
  ),
  fc.constantFrom("'; DROP TABLE library_tracks; --", '{{7*7}}', '../../etc/passwd', '%00', '\u202e', '1\n'),
);
const hostileValue = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  hostileText,
  fc.array(hostileText, { maxLength: 120 }),
  fc.constantFrom(Number.MAX_SAFE_INTEGER, -1, 0.5, 2 ** 31, { __proto__: null, toString: 1 }, [[[[]]]]),
);
const literal = fc.oneof(
  hostileText.map(text => JSON.stringify(text)),
  fc.constantFrom(
    '$v',
    '1',
    '-0',
    '1e99',
    'null',
    'true',
    'ENUM',
    '[]',
    '{}',
    '"""block"""',
    '{tidalTrackId: $v}',
  ),
  fc.constantFrom(
    '{tidalTrackIds: [1, "x", $v]}',
    '{tidalAlbumIds: $v}',
    '{tidalAlbumId: 1}',
    '{tidalTrackId: 1}',
  ),
);
const name = fc.constantFrom(
  ...['getLibraryTracks', 'getLibraryAlbums', 'getLibraryTrack', 'addTrackToLibrary', 'addTracksToLibrary'],
  ...['removeTrackFromLibrary', 'addAlbumsToLibrary', 'trackListing', 'ingestion', 'id', 'title', 'status'],
  ...['__typename', '__schema', 'types', 'fields', '__type', 'nothing', '_', '__proto__'],
);
const argument = fc.tuple(fc.constantFrom('id', 'first', 'after', 'input', 'x'), literal);
const { selection } = fc.letrec<{ selection: string; field: string }>(tie => ({
  selection: fc
    .array(
      fc.oneof(
        { weight: 6, arbitrary: tie('field') },
        fc.constantFrom('...F', '...G', '... on LibraryTrack { id }', '... @skip(if: $v) { id }', '...'),
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map(fields => `{ ${fields.join(' ')} }`),
  field: fc
    .tuple(
      fc.option(fc.constantFrom('a', 'b', '__c')),
      name,
      fc.array(argument, { maxLength: 2 }),
      fc.constantFrom('', '', '', '@include(if: true)', '@deprecated', '@x'),
      fc.option(tie('selection'), { maxDepth: 6, freq: 2 }),
    )
    .map(([alias, field, given, directive, within]) => {
      const text = given.map(([key, value]) => `${key}: ${value}`).join(', ');
      return `${alias === null ? '' : `${alias}: `}${field}${text && `(${text})`} ${directive} ${within ?? ''}`;
    }),
}));
const operation = fc
  .tuple(
    fc.constantFrom(
      '',
      'query',
      'mutation',
      'subscription',
      'query Q($v: ID)',
      'mutation ($v: [ID!]! = [1])',
    ),
    selection,
    fc.option(selection),
  )
  .map(([head, body, fragment]) => {
    const more =
      fragment === null ? '' : ` fragment F on Query ${fragment} fragment G on LibraryTrack { ...G id }`;
    return `${head} ${body}${more}`;
  });
const query = fc.oneof(operation, operation, hostileText, hostileValue);
const malformedBody = fc.record(
  {
    query,
    variables: fc.oneof(fc.record({ v: hostileValue }), hostileValue),
    operationName: fc.oneof(fc.constant('Q'), hostileValue),
    extensions: hostileValue,
  },
  { requiredKeys: ['query'] },
);

/** Valid queries that get as far as the library, with arguments that cannot be meant. */
const trackFields = fc
  .subarray(['id', 'title', 'createdAt', 'isrc', 'ingestion { status reason }', '__typename'], {
    minLength: 1,
  })
  .map(fields => `{ ${fields.join(' ')} }`);
const id = fc.oneof(hostileText, fc.uuid(), fc.nat().map(String), fc.constant('1'));
const added = '{ __typename ... on LibraryTrack { id ingestion { status } } ... on LibraryAlbum { id } }';
const validBody = fc.oneof(
  fc.record({
    query: fc
      .tuple(fc.constantFrom('Tracks', 'Albums'), trackFields)
      .map(([noun, fields]) =>
        noun === 'Tracks'
          ? `query ($n: Int, $a: String) { getLibraryTracks(first: $n, after: $a) ${fields} }`
          : 'query ($n: Int, $a: String) { getLibraryAlbums(first: $n, after: $a) { id trackListing { isrc } } }',
      ),
    variables: fc.record({ n: fc.option(fc.integer()), a: fc.option(id) }),
  }),
  fc.record({
    query: fc.constantFrom(
      'query ($id: ID!) { getLibraryTrack(id: $id) { id } a: getLibraryAlbum(id: $id) { id } }',
      'mutation ($id: ID!) { removeTrackFromLibrary(id: $id) removeAlbumFromLibrary(id: $id) }',
      `mutation ($id: ID!) { addTrackToLibrary(input: {tidalTrackId: $id}) ${added} }`,
      `mutation ($id: ID!) { addAlbumToLibrary(input: {tidalAlbumId: $id}) ${added} }`,
    ),
    variables: fc.record({ id }),
  }),
  fc.record({
    query: fc.constantFrom(
      `mutation ($ids: [ID!]!) { addTracksToLibrary(input: {tidalTrackIds: $ids}) ${added} }`,
      `mutation ($ids: [ID!]!) { addAlbumsToLibrary(input: {tidalAlbumIds: $ids}) ${added} }`,
    ),
    variables: fc.record({ ids: fc.array(id, { maxLength: 101 }) }),
  }),
);
/** What `POST /graphql` is sent as JSON: half of it gets as far as the library. */
export const fuzzedBody = fc.oneof(malformedBody, validBody);

/** A request of any method, path and type. */
export const fuzzedRequest = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'OPTIONS', 'HEAD', 'DELETE'),
  url: fc.constantFrom('/graphql', '/graphql?query=1', '/graphql/', '/graphiql', '/readyz', '/%00', '/..%2f'),
  search: fc.record({
    query: fc.oneof(operation, hostileText),
    variables: hostileText,
    operationName: hostileText,
  }),
  type: fc.constantFrom(
    ...['application/json', 'application/graphql', 'text/plain', 'multipart/form-data; boundary=x'],
    ...['application/json; charset=utf-16', 'x', ''],
  ),
  payload: fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)),
    operation,
  ),
});

const heads = [
  '',
  'POST /graphql HTTP/1.1\r\nHost: x\r\n',
  'GET /graphql?query={',
  'POST /graphql HTTP/9\r\n\r\n',
];

/** What a connection may begin with, and then bytes that mean nothing. */
export function fuzzedBytes(number: number): Buffer {
  return Buffer.concat([Buffer.from(heads[number % heads.length] as string), randomBytes(number % 500)]);
}

/** What no answer to any request may be: a failure of ours, or something that tells of our insides. Null: it is right. */
export function faultOfAnswer(status: number, text: string): string | null {
  if (status >= 500 || text.includes('INTERNAL_SERVER_ERROR')) return `it failed with ${status}: ${text}`;
  const insides = /node_modules|at .*\(.*:\d+:\d+\)|PostgresError|SELECT|select "/.exec(text)?.[0];
  return insides === undefined ? null : `it shows ${insides}: ${text}`;
}
