import { drizzle } from 'drizzle-orm/postgres-js';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAuthenticate } from '../access/authentication.ts';
import { send } from '../test/ask.ts';
import { newIsrc } from '../test/catalog.ts';
import { itemsIn } from '../test/items.ts';
import { newUser, useLibrary } from '../test/library.ts';
import { serverOf } from '../test/server.ts';
import { sharedSecret, tokenOf } from '../test/tokens.ts';

const here = useLibrary();
const store = itemsIn(here);

let server: FastifyInstance;
const statements: string[] = [];
beforeAll(async () => {
  const logger = { logQuery: (query: string) => statements.push(query) };
  const database = { ...here.database, drizzle: drizzle(here.database.sql, { logger }) };
  server = await serverOf(
    { ...here.libraryWith(), database },
    { authenticate: createAuthenticate({ secret: sharedSecret, issuer: undefined, audience: undefined }) },
  );
});
afterAll(async () => {
  await server.close();
});

/** Asks on behalf of a user, and notes in `statements` what the database was asked. */
async function askAs(userId: string, query: string, variables: object = {}) {
  statements.length = 0;
  const authorization = `Bearer ${await tokenOf({ sub: userId })}`;
  return await send(server, { payload: { query, variables }, headers: { authorization } });
}

async function answerTo(userId: string, query: string, variables: object = {}) {
  const { data, errors } = await askAs(userId, query, variables);
  expect(errors).toBeUndefined();
  return data;
}

const titles = ({ nodes }: { nodes: { title: string }[] }) => nodes.map(({ title }) => title);

describe.each(['Tracks', 'Albums'] as const)('library%s', noun => {
  const field = `library${noun}`;
  const add = (user: string, title: string, more: object = {}) =>
    noun === 'Tracks' ? store.track(user, { title, ...more }) : store.album(user, { title, ...more });
  const remove = (user: string, id: string) =>
    answerTo(user, `mutation ($id: ID!) { remove${noun.slice(0, -1)}FromLibrary(id: $id) }`, { id });
  const pageOf = async (user: string, given: string) =>
    (
      await answerTo(
        user,
        `{ page: ${field}(${given}) {
          nodes { id title } edges { cursor node { id cursor } } totalCount
          pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        } }`,
      )
    ).page;

  const user = newUser();
  beforeAll(async () => {
    for (const title of ['E', 'C', 'A', 'D', 'B']) await add(user, title);
    await add(newUser(), 'of another user');
  });

  test('give a page from the beginning, and say what is around it', async () => {
    const first = await pageOf(user, 'first: 2');
    expect(titles(first)).toEqual(['A', 'B']);
    expect(first.totalCount).toBe(5);
    const cursors = first.edges.map(({ cursor }: { cursor: string }) => cursor);
    expect(first.edges.map(({ node }: { node: { cursor: string } }) => node.cursor)).toEqual(cursors);
    expect(first.pageInfo).toEqual({
      hasNextPage: true,
      hasPreviousPage: false,
      startCursor: cursors[0],
      endCursor: cursors[1],
    });
    const second = await pageOf(user, `first: 2, after: "${cursors[1]}"`);
    expect(titles(second)).toEqual(['C', 'D']);
    expect(second.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true });
    const third = await pageOf(user, `first: 2, after: "${second.pageInfo.endCursor}"`);
    expect(titles(third)).toEqual(['E']);
    expect(third.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
  });

  test('give a page from the end, in the order of the list', async () => {
    const last = await pageOf(user, 'last: 2');
    expect(titles(last)).toEqual(['D', 'E']);
    expect(last.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    const before = await pageOf(user, `last: 3, before: "${last.pageInfo.startCursor}"`);
    expect(titles(before)).toEqual(['A', 'B', 'C']);
    expect(before.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    const between = await pageOf(
      user,
      `last: 5, after: "${before.pageInfo.startCursor}", before: "${last.pageInfo.startCursor}"`,
    );
    expect(titles(between)).toEqual(['B', 'C']);
    expect(between.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
  });

  test('give no items, and count them, for first: 0; an empty library is a page, too', async () => {
    expect(await pageOf(user, 'first: 0')).toEqual({
      nodes: [],
      edges: [],
      totalCount: 5,
      pageInfo: { hasNextPage: true, hasPreviousPage: false, startCursor: null, endCursor: null },
    });
    expect(await pageOf(newUser(), 'last: 10')).toMatchObject({ nodes: [], totalCount: 0 });
  });

  test('are paged to the end by a client that removes all that it has seen', async () => {
    const remover = newUser();
    for (let n = 0; n < 7; n++) await add(remover, `Title ${n}`);
    const seen: string[] = [];
    let after = '';
    for (let more = true; more; ) {
      const { nodes, pageInfo } = await pageOf(remover, `first: 2${after}`);
      for (const { id, title } of nodes) {
        seen.push(title);
        await remove(remover, id);
      }
      after = `, after: "${pageInfo.endCursor}"`;
      more = pageInfo.hasNextPage;
    }
    expect(seen).toEqual(Array.from({ length: 7 }, (_, n) => `Title ${n}`));
    expect(await pageOf(remover, 'first: 1')).toMatchObject({ totalCount: 0 });
  });

  test.each(['id', 'cursor'])(
    'the plain list goes on behind the %s of an item that was removed',
    async by => {
      const remover = newUser();
      for (const title of ['A', 'B', 'C']) await add(remover, title);
      const list = async (given: string) => {
        const fields = `{ id cursor title }`;
        const data = await answerTo(remover, `{ list: getLibrary${noun}(${given}) ${fields} }`);
        return data.list as { id: string; cursor: string; title: string }[];
      };
      const [, second] = await list('first: 2');
      for (const { id } of await list('first: 2')) await remove(remover, id);
      const after = by === 'id' ? second?.id : second?.cursor;
      expect(await list(`after: "${after}"`)).toMatchObject([{ title: 'C' }]);
    },
  );

  test.each([
    ['first: 1, last: 1', 'first and last are both given'],
    ['first: 201', 'first must be from 0 to 200'],
    ['after: "nonsense"', 'after must be a cursor'],
    ['last: 1, before: "nonsense"', 'before must be a cursor'],
    ['first: 1, after: "9b2e0a53-5a4e-4c1c-8a51-3c1d0f5a7a11"', 'after must be a cursor'],
    [`filter: {text: "${'x'.repeat(201)}"}`, 'filter.text must have 200 characters'],
    ['filter: {text: "\\u0000"}', 'filter.text must not have'],
  ])('refuse %s', async (given, message) => {
    const { status, errors } = await askAs(user, `{ ${field}(${given}) { nodes { id } } }`);
    expect(status).toBe(200);
    expect(errors).toMatchObject([
      { message: expect.stringContaining(message), extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  });

  describe('filtered', () => {
    const filtering = newUser();
    const moment = (day: number) => new Date(Date.UTC(2026, 0, day));
    beforeAll(async () => {
      const statuses = { Scheduled: 'SCHEDULED', Indexed: 'INDEXED', Failed: 'FAILED' } as const;
      for (const [title, status] of Object.entries(statuses)) {
        const isrc = newIsrc();
        await add(filtering, title, { artist: 'Sigur Rós', createdAt: moment(2), isrc, isrcs: [isrc, isrc] });
        await store.became(isrc, status);
      }
      await add(filtering, 'Pending 100%', { artist: 'BJÖRK', createdAt: moment(3), isrcs: [newIsrc()] });
      await add(filtering, 'None', { createdAt: moment(1), isrc: null, isrcs: [null] });
    });

    test.each<[string, object, string[]]>([
      ['nothing', {}, ['None', 'Pending 100%', 'Failed', 'Indexed', 'Scheduled']],
      [
        'nulls',
        { status: null, text: null, addedAfter: null },
        ['None', 'Pending 100%', 'Failed', 'Indexed', 'Scheduled'],
      ],
      ['a status', { status: ['INDEXED'] }, ['Indexed']],
      ['a status without a list', { status: 'FAILED' }, ['Failed']],
      ['statuses', { status: ['PENDING', 'SCHEDULED'] }, ['Pending 100%', 'Scheduled']],
      ['what was not requested', { status: ['NOT_REQUESTED'] }, ['None']],
      ['no status', { status: [] }, []],
      ['text in the artist', { text: 'björk' }, ['Pending 100%']],
      ['text in the title', { text: 'ED' }, ['Failed', 'Indexed', 'Scheduled']],
      ['text that is a pattern elsewhere', { text: '0%' }, ['Pending 100%']],
      ['text that is nowhere', { text: '%' + '_' }, []],
      [
        'a beginning',
        { addedAfter: '2026-01-02T00:00:00Z' },
        ['Pending 100%', 'Failed', 'Indexed', 'Scheduled'],
      ],
      ['an end', { addedBefore: '2026-01-02T00:00:00.000+00:00' }, ['None']],
      [
        'all of it',
        {
          status: 'INDEXED',
          text: 'sigur',
          addedAfter: '2026-01-01T12:00:00+01:00',
          addedBefore: '2026-01-03T00:00:00Z',
        },
        ['Indexed'],
      ],
    ])('by %s', async (_, filter, expected) => {
      const data = await answerTo(
        filtering,
        `query ($filter: LibraryFilter) {
          all: ${field}(filter: $filter) { nodes { title } totalCount }
          end: ${field}(last: 1, filter: $filter) { nodes { title } pageInfo { hasPreviousPage } }
        }`,
        { filter },
      );
      expect(titles(data.all)).toEqual(expected);
      expect(data.all.totalCount).toBe(expected.length);
      expect(titles(data.end)).toEqual(expected.slice(-1));
      expect(data.end.pageInfo.hasPreviousPage).toBe(expected.length > 1);
    });

    test.each([
      'yesterday',
      '2026-01-02',
      '2026-13-01T00:00:00Z',
      '2025-02-30T00:00:00Z',
      '2025-02-29T12:00:00+02:00',
      '2025-01-01T24:00:00Z',
      '0000-01-01T00:00:00Z',
      '0001-01-01T00:00:00+23:59',
      '9999-12-31T23:59:59-23:59',
      5,
    ])('refuses the moment %j, as a variable and as a literal', async addedAfter => {
      const asVariable = askAs(
        filtering,
        `query ($filter: LibraryFilter) { ${field}(filter: $filter) { nodes { id } } }`,
        { filter: { addedAfter } },
      );
      const asLiteral = askAs(
        filtering,
        `{ ${field}(filter: {addedAfter: ${JSON.stringify(addedAfter)}}) { nodes { id } } }`,
      );
      for (const { status, errors } of await Promise.all([asVariable, asLiteral])) {
        expect(status).toBe(400);
        expect(errors?.[0]?.message).toContain('DateTime must be a moment');
      }
    });

    test.each([
      '0001-01-01T00:00:00Z',
      '0000-12-31T23:59:59-00:01',
      '9999-12-31T23:59:59.999Z',
      '2024-02-29T23:30:00-05:00',
    ])('takes the moment %s, as a variable and as a literal', async moment => {
      const filter = { addedAfter: moment, addedBefore: moment };
      const asVariable = askAs(
        filtering,
        `query ($filter: LibraryFilter) { ${field}(filter: $filter) { totalCount } }`,
        { filter },
      );
      const asLiteral = askAs(
        filtering,
        `{ ${field}(filter: {addedAfter: "${moment}", addedBefore: "${moment}"}) { totalCount } }`,
      );
      for (const { data, errors } of await Promise.all([asVariable, asLiteral])) {
        expect(errors).toBeUndefined();
        expect(data[field]).toEqual({ totalCount: 0 });
      }
    });
  });

  test('ask the database for a page, a count, what is in front, and what became of it: each once', async () => {
    const { page } = await answerTo(
      user,
      `query ($after: String) {
        page: ${field}(first: 100, after: $after, filter: {text: "ABBA"}) {
          nodes { id } edges { node { ${noun === 'Tracks' ? 'isIndexed ingestion { status }' : 'ingestion { total } trackListing { isIndexed }'} } }
          totalCount again: totalCount
          pageInfo { hasNextPage hasPreviousPage startCursor } more: pageInfo { hasPreviousPage endCursor }
        }
      }`,
      { after: (await pageOf(user, 'first: 1')).pageInfo.endCursor },
    );
    expect(page.nodes).toHaveLength(4);
    // An album's listing is counted first, and then read.
    expect(statements.length).toBeLessThanOrEqual(noun === 'Tracks' ? 4 : 6);
  });

  test('ask for no page where only the count is wanted', async () => {
    await answerTo(user, `{ ${field} { totalCount } }`);
    expect(statements).toHaveLength(1);
  });
});

test('an album says what became of its recordings', async () => {
  const user = newUser();
  const [scheduled, indexed, failed, pending] = [newIsrc(), newIsrc(), newIsrc(), newIsrc()];
  await store.became(scheduled, 'SCHEDULED');
  await store.became(indexed, 'INDEXED');
  await store.became(failed, 'FAILED');
  for (let n = 0; n < 30; n++) {
    await store.album(user, { isrcs: [scheduled, indexed, failed, pending, indexed, null] });
  }
  const data = await answerTo(
    user,
    '{ getLibraryAlbums { ingestion { total requested scheduled indexed failed } } }',
  );
  expect(data.getLibraryAlbums).toEqual(
    Array(30).fill({ ingestion: { total: 6, requested: 5, scheduled: 1, indexed: 2, failed: 1 } }),
  );
  expect(statements).toHaveLength(2);
});

test('the viewer sees the whole library in figures, each recording once', async () => {
  const user = newUser();
  const [scheduled, indexed, failed, pending] = [newIsrc(), newIsrc(), newIsrc(), newIsrc()];
  await store.became(scheduled, 'SCHEDULED');
  await store.became(indexed, 'INDEXED');
  await store.became(failed, 'FAILED');
  for (const isrc of [scheduled, indexed, null]) await store.track(user, { isrc });
  await store.album(user, { isrcs: [indexed, failed, pending, pending, 'invalid', null] });
  await store.album(user);
  await store.track(newUser());

  const library = 'library { tracks albums indexed pending failed }';
  const data = await answerTo(
    user,
    `{ viewer { ${library} } again: viewer { ${library} more: ${library} } }`,
  );
  const figures = { tracks: 3, albums: 2, indexed: 1, pending: 2, failed: 1 };
  expect(data).toEqual({
    viewer: { library: figures },
    again: { library: figures, more: figures },
  });
  expect(statements).toHaveLength(2);

  const nobody = await answerTo(newUser(), `{ viewer { ${library} } }`);
  expect(nobody.viewer.library).toEqual({ tracks: 0, albums: 0, indexed: 0, pending: 0, failed: 0 });
});
