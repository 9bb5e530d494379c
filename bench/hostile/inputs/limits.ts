import { connect } from 'node:net';
import { hostile } from '../../queries/hostile.ts';
import { type Input, request, type Target } from '../target.ts';

const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');

/** Two operations, so that a name is needed: one that costs too much, and one that changes too much. */
const tooMuch = `query A { ${times(14, n => `a${n}: getLibraryAlbums(first: 200) { trackListing { title isrc } }`)} }
  mutation B { ${times(14, n => `b${n}: removeTrackFromLibrary(id: "none")`)} }`;

/** Each level spreads the next one twice, under conditions: what a compiler doubled its time for. */
const conditions = `query ($p: Boolean!) { getLibraryTracks(first: 1) { ...F0 } }
  ${times(24, n => `fragment F${n} on LibraryTrack { ...F${n + 1} @include(if: $p) ...F${n + 1} }`)}
  fragment F24 on LibraryTrack { title }`;

/** Points 1 to 6: requests that try to get past the limits, and the largest within them. */
export function limitInputs(rich: Target, plain: Target, requestTimeoutMs: number): Input[] {
  const answered = { status: 200, hasNot: '"errors"' };
  const costly = { status: [400, 429], has: /QUERY_TOO_COSTLY|RATE_LIMITED/ };
  const badName = { status: 400, has: 'BAD_REQUEST', hasNot: '"data":{' };
  const inTurn = { status: [200, 429], hasNot: 'INTERNAL' };
  const bulk = (field: string, count: number) =>
    `${field}: addTracksToLibrary(input: {tidalTrackIds: [${times(count, n => `"${n}"`)}]}) { __typename }`;
  return [
    request('1: an empty operation name', plain, { body: { query: tooMuch, operationName: '' } }, badName),
    request('1: an unknown operation name', plain, { body: { query: tooMuch, operationName: 'C' } }, badName),
    request(
      '1: the costly operation by its name',
      rich,
      { body: { query: tooMuch, operationName: 'A' } },
      costly,
    ),
    request(
      '2: a field beside itself under a condition',
      rich,
      {
        body: {
          query:
            'query ($p: Boolean!) { getLibraryTracks(first: 3) { id ...F @include(if: $p) ...F } } fragment F on LibraryTrack { title }',
          variables: { p: false },
        },
      },
      { ...answered, has: '"title"' },
    ),
    request(
      '2: 24 levels of fragments under conditions',
      rich,
      { body: { query: conditions, variables: { p: false } } },
      { status: [200, 400], hasNot: 'INTERNAL' },
    ),
    ...['HEAD', 'PUT', 'DELETE', 'PATCH'].map(method =>
      request(
        `3: a mutation by ${method}`,
        plain,
        {
          method,
          search:
            '?query=query%20A%7B__typename%7Dmutation%20B%7BremoveTrackFromLibrary(id%3A%22none%22)%7D&operationName=B',
        },
        { status: 405 },
      ),
    ),
    request(
      '3: a mutation by GET',
      plain,
      { method: 'GET', search: '?query=mutation%7BremoveTrackFromLibrary(id%3A%22none%22)%7D' },
      { status: 405, has: 'BAD_REQUEST' },
    ),
    request(
      '4: five pages of albums with the status of each track',
      rich,
      {
        body: {
          query: `{ ${times(5, n => `a${n}: getLibraryAlbums(first: 200) { trackListing { ingestion { status } } }`)} }`,
        },
      },
      costly,
    ),
    ...[
      `{ ${times(6, n => `a${n}: getLibraryAlbums(first: 200) { trackListing { title } }`)} }`,
      `{ getLibraryAlbums(first: 200) { id title trackListing { position title duration isrc } } }`,
      `{ ${times(30, n => `a${n}: libraryAlbums(first: 200, filter: {status: FAILED}) { totalCount nodes { id } }`)} }`,
      `{ getLibraryTracks(first: 200) { id title artistName albumName isrc ingestion { status reason } isIndexed } }`,
      `{ viewer { library { tracks albums indexed pending failed } } }`,
    ].map((query, n) => request(`4: large answer ${n + 1}`, rich, { body: { query } }, inTurn)),
    ...hostile.map(({ name, query, variables }) =>
      request(
        `4: ${name}`,
        rich,
        { body: { query, variables } },
        { status: [200, 400, 413, 429], hasNot: 'INTERNAL' },
      ),
    ),
    request(
      '5: a bulk of more than a bulk may have',
      plain,
      { body: { query: `mutation { ${bulk('a', 101)} }` } },
      { status: [200, 400], has: 'BAD_USER_INPUT' },
    ),
    request(
      '5: more than a minute allows at all',
      plain,
      { body: { query: `mutation { ${times(7, n => bulk(`a${n}`, 100))} }` } },
      { status: 400, has: /BAD_USER_INPUT|QUERY_TOO_COSTLY/, hasNot: 'try again' },
    ),
    { name: '6: a body that drips', once: () => drip(plain, requestTimeoutMs) },
  ];
}

/** A byte each 200 ms. It is ended in the time that a request may take, and that much again to look. */
function drip({ url, token }: Target, limitMs: number): Promise<string | null> {
  const { hostname, port } = new URL(url);
  const start = performance.now();
  return new Promise(resolve => {
    let answer = '';
    const socket = connect(Number(port), hostname);
    socket.write(
      `POST /graphql HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 90000\r\n\r\n`,
    );
    const dripping = setInterval(() => socket.write('{'), 200);
    socket.on('data', data => (answer += data.toString()));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearInterval(dripping);
      const ms = Math.round(performance.now() - start);
      if (ms > 2 * limitMs) resolve(`it was ended after ${ms} ms only`);
      else resolve(answer === '' || / (408|400) /.test(answer) ? null : answer.slice(0, 300));
    });
  });
}
