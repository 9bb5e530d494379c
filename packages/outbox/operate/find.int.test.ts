import { describe, expect, test } from 'vitest';
import { newIsrc, useOutbox } from '../test/outbox.ts';
import type { OutboxFilter } from './filter.ts';
import { CursorError, type FindOptions, find } from './find.ts';

const outbox = useOutbox();
const settled = (status: string, given: Record<string, unknown> = {}) => ({
  status,
  settled_at: new Date(),
  ...given,
});

/** The ids of every page. */
async function pagesOf(options: FindOptions): Promise<number[][]> {
  const pages: number[][] = [];
  let after: string | undefined;
  do {
    const page = await find(outbox.sql, { ...options, after });
    pages.push(page.rows.map(({ id }) => id));
    after = page.next ?? undefined;
  } while (after !== undefined);
  return pages;
}

test.each(['pending', 'dead', 'scheduled', undefined] as const)(
  'pages of %s requests hold each once, in order',
  async status => {
    const row = status === undefined || status === 'pending' ? {} : settled(status);
    // Two made in the same transaction have the same moment.
    const ids = await outbox.store(row, row, row);
    const moment = new Date(Date.now() - 5_000);
    ids.unshift(...(await outbox.store(...[1, 2].map(() => ({ ...row, created_at: moment })))));
    const filter = { status };
    const byAge = status === 'pending' || status === 'dead';
    const oldest = byAge ? ids : [...ids].sort((a, b) => a - b);
    expect(await pagesOf({ filter, order: 'oldest', limit: 2 })).toEqual([
      oldest.slice(0, 2),
      oldest.slice(2, 4),
      oldest.slice(4),
    ]);
    expect((await pagesOf({ filter, limit: 2 })).flat()).toEqual([...oldest].reverse());
  },
);

test('a page goes on where it was when rows are settled meanwhile', async () => {
  const ids = await outbox.store({}, {}, {}, {});
  const first = await find(outbox.sql, { filter: { status: 'pending' }, order: 'oldest', limit: 2 });
  await outbox.sql`UPDATE ingestion_outbox SET status = 'skipped', settled_at = now() WHERE id = ANY(${ids.slice(0, 2)})`;
  const after = first.next as string;
  const second = await find(outbox.sql, { filter: { status: 'pending' }, order: 'oldest', limit: 2, after });
  expect(second).toMatchObject({ rows: [{ id: ids[2] }, { id: ids[3] }], next: null });
});

test('all requests of a recording are found, settled or not', async () => {
  const isrc = newIsrc();
  const ids = await outbox.store({ isrc }, settled('scheduled', { isrc }), {});
  const { rows } = await find(outbox.sql, { filter: { isrc: isrc.toLowerCase() }, order: 'oldest' });
  expect(rows.map(({ id }) => id).sort()).toEqual(ids.slice(0, 2).sort());
});

test.each<OutboxFilter>([{ status: 'dead' }, {}, { isrc: 'USLNG0000001' }])(
  'of %j the texts are read as far as is asked for, and whole by default',
  async filter => {
    const long = 'é'.repeat(500);
    const texts = { title: long, artist: long, album: long, reason: long, last_error: long };
    await outbox.store(settled('dead', { isrc: 'USLNG0000001', ...texts }));
    const whole = { title: long, artist: long, album: long, reason: long, lastError: long };
    expect((await find(outbox.sql, { filter })).rows).toMatchObject([whole]);
    const begun = Object.fromEntries(Object.keys(whole).map(name => [name, 'é'.repeat(301)]));
    expect((await find(outbox.sql, { filter, longestText: 301 })).rows).toMatchObject([begun]);
  },
);

test.each<[string, OutboxFilter, Record<string, unknown>]>([
  ['reason', { reason: 'duplicate' }, settled('skipped', { reason: 'duplicate' })],
  ['error', { error: 'BAD GATE' }, { last_error: '502 Bad Gateway' }],
  ['text', { text: 'blue in' }, { title: 'Blue in Green' }],
  ['artist', { artist: 'bill evans' }, { artist: 'Bill Evans' }],
  ['album', { album: 'undercurrent' }, { album: 'Undercurrent' }],
  ['force', { force: true }, { force: true }],
  ['waits', { waits: true }, { available_at: new Date(Date.now() + 60_000) }],
  ['attempts', { attempts: 3 }, { attempts: 3 }],
  [
    'createdBefore',
    { createdBefore: new Date(Date.now() - 3_600_000) },
    { created_at: new Date(Date.now() - 7_200_000) },
  ],
  ['a text with a quote', { text: "it's \\ {" }, { title: "It's \\ { so" }],
])('a filter by %s finds what fits and nothing else', async (_, filter, row) => {
  const [, id] = await outbox.store({}, row);
  expect((await find(outbox.sql, { filter })).rows.map(row => row.id)).toEqual([id]);
});

test.each(['', 'nonsense', Buffer.from("infinity|1'; DROP TABLE x").toString('base64url')])(
  '"%s" is no cursor',
  async after => {
    await expect(find(outbox.sql, { after })).rejects.toThrow(CursorError);
  },
);

describe('a filter that few requests fit', () => {
  test.each(['pending', 'dead', 'scheduled'] as const)(
    'is looked for among 20,000 %s ones a page',
    async status => {
      await outbox.sql`TRUNCATE ingestion_outbox`;
      await outbox.sql`
      INSERT INTO ingestion_outbox (isrc, title, artist, album, status, settled_at, created_at)
      SELECT 'US' || lpad(n::text, 10, '0'), CASE n WHEN 5 THEN 'needle' ELSE 'hay' END, 'A', 'B', ${status},
        CASE ${status} WHEN 'pending' THEN NULL ELSE now() END, now() - (30000 - n) * interval '1 second'
      FROM generate_series(1, 30000) AS n`;
      const filter = { status, text: 'needle' };
      const first = await find(outbox.sql, { filter });
      expect(first.rows).toEqual([]);
      const second = await find(outbox.sql, { filter, after: first.next as string });
      expect(second.rows).toMatchObject([{ title: 'needle' }]);
      expect(second.next).toBeNull();
    },
  );

  test('of a time begins at that time', async () => {
    await outbox.sql`TRUNCATE ingestion_outbox`;
    await outbox.sql`
      INSERT INTO ingestion_outbox (isrc, title, artist, album, status, settled_at, created_at)
      SELECT 'US' || lpad(n::text, 10, '0'), 'T', 'A', 'B', 'scheduled', now(), now() - (30000 - n) * interval '1 second'
      FROM generate_series(1, 30000) AS n`;
    const createdBefore = new Date(Date.now() - 25_000_000);
    const { rows } = await find(outbox.sql, { filter: { createdBefore }, limit: 1 });
    expect(rows[0]?.createdAt.getTime()).toBeLessThan(createdBefore.getTime());
    expect(rows[0]?.createdAt.getTime()).toBeGreaterThan(createdBefore.getTime() - 3_000);
    const after = await find(outbox.sql, {
      filter: { createdAfter: createdBefore },
      order: 'oldest',
      limit: 1,
    });
    expect(after.rows[0]?.createdAt.getTime()).toBeLessThan(createdBefore.getTime() + 3_000);
    const none = await find(outbox.sql, { filter: { createdBefore: new Date(0) } });
    expect(none).toEqual({ rows: [], next: null });
  });
});
