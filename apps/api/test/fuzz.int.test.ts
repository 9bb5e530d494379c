import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { listen } from '@segue/http/listen.ts';
import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { catalogTrack, fakeCatalog } from './catalog.ts';
import { useLibrary } from './library.ts';
import { serverOf } from './server.ts';

/** `API_FUZZ_REQUESTS=10000 npx vitest run apps/api/fuzz` takes its time; a failure prints its seed. */
const requests = Number(process.env.API_FUZZ_REQUESTS ?? 600);
const third = Math.ceil(requests / 3);
const minutes = 60_000;

const here = useLibrary();
const library = () => here.libraryWith(fakeCatalog({ tracks: [catalogTrack({ tidalId: '1' })] }));

let server: FastifyInstance;
let address: string;
let lines: ReturnType<typeof library>['lines'];
beforeAll(async () => {
  const served = library();
  lines = served.lines;
  server = await serverOf(served);
  address = await listen(server, { variables: 'API', host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await server.close();
});

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
const body = fc.oneof(malformedBody, validBody);

/** Sends bytes as they are, and gives back the first line of each answer. */
function sendRaw(bytes: Buffer): Promise<string> {
  const { hostname, port } = new URL(address);
  return new Promise(resolve => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.end(bytes));
    socket.on('data', data => {
      answer += data.toString('latin1');
    });
    socket.on('error', () => resolve(answer));
    socket.on('close', () => resolve(answer));
  });
}

describe('whatever is sent, the server neither fails nor falls', () => {
  const parameters = { numRuns: third };
  const check = (status: number, text: string) => {
    expect(status, text).toBeLessThan(500);
    expect(text).not.toContain('INTERNAL_SERVER_ERROR');
    expect(text).not.toMatch(/node_modules|at .*\(.*:\d+:\d+\)|PostgresError|SELECT|select "/);
  };

  test('queries', { timeout: 10 * minutes }, async () => {
    let executed = 0;
    await fc.assert(
      fc.asyncProperty(body, async payload => {
        const response = await server.inject({
          method: 'POST',
          url: '/graphql',
          headers: { 'content-type': 'application/json' },
          payload: JSON.stringify(payload),
        });
        check(response.statusCode, response.body);
        if (response.statusCode === 200) executed++;
      }),
      parameters,
    );
    // Not all of it is turned away at the door.
    expect(executed).toBeGreaterThan(third / 10);
  });

  test('requests', { timeout: 10 * minutes }, async () => {
    const request = fc.record({
      method: fc.constantFrom('GET', 'POST', 'PUT', 'OPTIONS', 'HEAD', 'DELETE'),
      url: fc.constantFrom(
        '/graphql',
        '/graphql?query=1',
        '/graphql/',
        '/graphiql',
        '/readyz',
        '/%00',
        '/..%2f',
      ),
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
    await fc.assert(
      fc.asyncProperty(request, async ({ method, url, search, type, payload }) => {
        const response = await server.inject({
          method: method as 'GET',
          url: `${url}${url.includes('?') ? '&' : '?'}${new URLSearchParams(search)}`,
          headers: { 'content-type': type, 'graphql-require-preflight': '1', authorization: 'Bearer x' },
          payload,
        });
        check(response.statusCode, response.body);
      }),
      parameters,
    );
  });

  test('bytes', { timeout: 10 * minutes }, async () => {
    const heads = [
      '',
      'POST /graphql HTTP/1.1\r\nHost: x\r\n',
      'GET /graphql?query={',
      'POST /graphql HTTP/9\r\n\r\n',
    ];
    for (let sent = 0; sent < third; sent++) {
      const answer = await sendRaw(
        Buffer.concat([Buffer.from(heads[sent % 4] as string), randomBytes(sent % 500)]),
      );
      const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? '400';
      check(Number(status), answer);
    }
  });

  test('and it still answers, having logged no failure of its own', async () => {
    const response = await fetch(`${address}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query": "{ __typename }"}',
    });
    expect(await response.json()).toEqual({ data: { __typename: 'Query' } });
    expect(lines.filter(({ level }) => level >= 50)).toEqual([]);
  });
});
