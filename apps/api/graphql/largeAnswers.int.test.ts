import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, send } from '../test/ask.ts';
import { newIsrc } from '../test/catalog.ts';
import { itemsIn } from '../test/items.ts';
import { useLibrary } from '../test/library.ts';
import { serverOf } from '../test/server.ts';

const here = useLibrary();
const { libraryWith } = here;
const store = itemsIn(here);
const album = { isrcs: Array.from({ length: 300 }, newIsrc) };

let server: FastifyInstance;
beforeAll(async () => {
  await store.album('ada', album);
  await store.album('eve', album);
  server = await serverOf(libraryWith(), {
    authenticate: async header => String(header),
    // No statement is waited for that long: what waits is let go by the test.
    limits: { requestTimeoutMs: 60_000 },
  });
});
afterAll(async () => {
  await server.close();
});

const askAs = (authorization: string, query: string) =>
  send(server, { headers: { authorization }, payload: { query } });
/** More than half of what one user may have made at a time. */
const large = `{ getLibraryAlbums(first: 200) { trackListing {
  position title duration tidalId explicit isrc isIndexed ingestion { status reason } } } }`;
const largeByTracks = `{ getLibraryAlbums(first: 1) { ${Array.from(
  { length: 30 },
  (_, n) =>
    `a${n}: trackListing { position title duration tidalId explicit isrc ingestion { status reason } }`,
).join(' ')} } }`;
const answered = { status: 200, data: { getLibraryAlbums: [expect.anything()] } };

/** Keeps all answers from being made until the work is done. */
async function whileAlbumsAreLocked(work: () => Promise<unknown>): Promise<void> {
  await here.sql.begin(async transaction => {
    await transaction`LOCK TABLE library_albums IN ACCESS EXCLUSIVE MODE`;
    await work();
  });
}

test('one user’s large queries are answered one after the other, 50 wait and more are refused', async () => {
  const asked: Promise<unknown>[] = [];
  await whileAlbumsAreLocked(async () => {
    for (let n = 0; n < 51; n++) asked.push(askAs('ada', large));
    expect(await askAs('ada', '{ __typename }')).toMatchObject({ status: 200 });
    const refused = await server.inject({
      method: 'POST',
      url: '/graphql',
      headers: { authorization: 'ada' },
      payload: { query: large },
    });
    expect(refused.statusCode).toBe(429);
    expect(refused.headers['retry-after']).toBe('1');
    expect(refused.json()).toMatchObject({
      data: null,
      errors: [{ extensions: { code: 'RATE_LIMITED', retryAfterSeconds: 1 } }],
    });
    asked.push(askAs('eve', large));
  });
  expect(await Promise.all(asked)).toEqual(Array(52).fill(expect.objectContaining(answered)));
});

test('places come back: what was asked for often is answered again, also when it is long by its tracks alone', async () => {
  for (const query of [large, largeByTracks]) {
    const all = await Promise.all(Array.from({ length: 8 }, () => askAs('ada', query)));
    expect(all).toEqual(Array(8).fill(expect.objectContaining(answered)));
  }
});

test('a query whose time ends has no answer, and its place is for others', async () => {
  const hasty = await serverOf(libraryWith(), { limits: { requestTimeoutMs: 1_000 } });
  await whileAlbumsAreLocked(async () => {
    const given = { data: null, errors: [{ extensions: { code: 'REQUEST_TIMEOUT' } }] };
    expect(await ask(hasty, large)).toMatchObject(given);
    // Without the place of the first this one would wait in line until its time ends, which is RATE_LIMITED.
    expect(await ask(hasty, large)).toMatchObject(given);
  });
  expect(await ask(hasty, large)).toMatchObject({ status: 200, data: { getLibraryAlbums: [] } });
  await hasty.close();
});

test('a read whose time ends behind others of its user is RATE_LIMITED: nothing of ours failed', async () => {
  const hasty = await serverOf(libraryWith(), { limits: { requestTimeoutMs: 1_000 } });
  await whileAlbumsAreLocked(async () => {
    const answers = await Promise.all(
      [1, 2, 3].map(() => ask(hasty, '{ getLibraryAlbums(first: 1) { id } }')),
    );
    const codes = answers.map(({ errors }) => errors?.[0]?.extensions?.code);
    expect(codes).toEqual(['REQUEST_TIMEOUT', 'REQUEST_TIMEOUT', 'RATE_LIMITED']);
    expect(answers[2]).toMatchObject({ status: 429, data: null });
  });
  await hasty.close();
});
