import { libraryAlbums, libraryTracks } from '@segue/database/schema/tables.ts';
import { drizzle } from 'drizzle-orm/postgres-js';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../database.ts';
import { readAlbumIngestions } from '../ingestion/albumIngestion.ts';
import { readIngestions } from '../ingestion/status.ts';
import { newUser, useLibrary } from '../test/library.ts';
import { cursorOf } from './cursor.ts';
import type { LibraryFilter } from './filter.ts';
import { countItems, hasItemsInFront, type LibraryTable, listItems, removeItem } from './items.ts';
import { countItemsOf, countRecordingsOf } from './summary.ts';

const here = useLibrary();
const user = newUser();
/** Recordings that the ledger knows, of all users. */
const recordings = 200_000;
/** Items of a user; of each of ten. */
const tracks = 10_000;
const albums = 1_000;

const isrcOf = (n: string) => `'XX' || lpad((${n})::text, 10, '0')`;

beforeAll(async () => {
  await here.sql.unsafe(`
    INSERT INTO ingestion_outbox (isrc, title, artist, album, status, settled_at)
    SELECT ${isrcOf('n')}, 'Title', 'Artist', 'Album', 'scheduled', now() FROM generate_series(1, ${recordings}) AS n`);
  await here.sql`
    INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at) SELECT isrc, id, 1, now() FROM ingestion_outbox`;
  for (const [index, owner] of [user, ...Array.from({ length: 9 }, newUser)].entries()) {
    const offset = index * tracks;
    await here.sql.unsafe(
      `INSERT INTO library_tracks (user_id, tidal_track_id, title, artist_name, album_name, duration, explicit, isrc)
      SELECT $1, n::text, 'Title ' || n, 'Artist ' || n % 500, 'Album', 1, false, ${isrcOf(`n + ${offset}`)}
      FROM generate_series(1, ${tracks}) AS n`,
      [owner],
    );
    await here.sql.unsafe(
      `INSERT INTO library_albums (user_id, tidal_album_id, title, artist_name, track_count, track_listing)
      SELECT $1, n::text, 'Title ' || n, 'Artist ' || n % 500, 12, (
        SELECT jsonb_agg(jsonb_build_object('title', 'Title', 'isrc', ${isrcOf(`n * 12 + k + ${offset}`)}))
        FROM generate_series(1, 12) AS k
      ) FROM generate_series(1, ${albums}) AS n`,
      [owner],
    );
  }
  // VACUUM as well, as autovacuum does: an index alone then says how many items there are.
  await here.sql`VACUUM ANALYZE`;
}, 120_000);

type PlanNode = {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  Plans?: PlanNode[];
};

/** Every step of the plans of the statements that the work makes: `Index Scan library_tracks_listing`. */
async function stepsOf(work: (database: Database) => Promise<unknown>): Promise<string[]> {
  const statements: [text: string, values: unknown[]][] = [];
  const logger = { logQuery: (text: string, values: unknown[]) => statements.push([text, values]) };
  await work({ ...here.database, drizzle: drizzle(here.database.sql, { logger }) });
  const steps = ({ Plans = [], ...node }: PlanNode): string[] => [
    [node['Node Type'], node['Index Name'] ?? node['Relation Name']].filter(Boolean).join(' '),
    ...Plans.flatMap(steps),
  ];
  const plans: string[] = [];
  for (const [text, values] of statements) {
    const [row] = await here.database.sql.unsafe(`EXPLAIN (FORMAT JSON) ${text}`, values as never[]);
    const explained = row?.['QUERY PLAN'];
    plans.push(...steps((typeof explained === 'string' ? JSON.parse(explained) : explained)[0].Plan));
  }
  expect(statements).not.toEqual([]);
  return [...new Set(plans)];
}

const page = { size: 50, fromEnd: false, after: null, before: null };
const middle = cursorOf({
  artistName: 'Artist 250',
  title: 'Title 10250',
  id: '9b2e0a53-5a4e-4c1c-8a51-3c1d0f5a7a11',
});
const filters: [string, LibraryFilter][] = [
  ['all items', {}],
  ['a common status', { status: ['SCHEDULED'] }],
  ['a rare status', { status: ['FAILED'] }],
  ['a text', { text: 'title 77' }],
  ['a time', { addedAfter: new Date(0), addedBefore: new Date('2100-01-01T00:00:00Z') }],
];
const tables: [string, LibraryTable][] = [
  ['library_tracks', libraryTracks],
  ['library_albums', libraryAlbums],
];

describe.each(tables)('%s', (name, table) => {
  const list = (database: Database, filter: LibraryFilter) => ({ database, table, userId: user, filter });

  test.each(filters)(
    'a page of %s is read in its order from the index, from either end',
    async (_, filter) => {
      const steps = await stepsOf(async database => {
        await listItems(list(database, filter), { ...page, after: middle });
        await listItems(list(database, filter), { ...page, fromEnd: true, before: middle });
        await hasItemsInFront(list(database, filter), { ...page, after: middle });
      });
      expect(steps).toContain(`Index Scan ${name}_listing`);
      expect(steps.join()).not.toMatch(/Seq Scan|Sort|Hash Join|Merge Join/);
    },
  );

  test.each(filters)('counting %s reads items of the user alone', async (_, filter) => {
    const steps = await stepsOf(database => countItems(list(database, filter)));
    expect(steps.join()).not.toMatch(/Seq Scan ingestion|Hash Join|Merge Join/);
    expect(steps.join()).toMatch(new RegExp(`Scan ${name}_(listing|user)`));
  });

  test('an item is removed, and found as a place, by its key', async () => {
    const [item] = (await listItems(list(here.database, {}), page)).items;
    const steps = await stepsOf(async database => {
      await removeItem(database, table, user, item?.id ?? '');
      await listItems(list(database, {}), { ...page, after: item?.id ?? '' });
    });
    expect(steps).toContain(`Index Scan ${name}_pkey`);
    expect(steps.join()).not.toMatch(/Seq Scan library_(tracks|albums)/);
  });
});

test('what became of recordings is looked up by their keys, for one, for thousands, and for a whole library', async () => {
  const isrcs = Array.from({ length: 15_000 }, (_, n) => `XX${String(n).padStart(10, '0')}`);
  const requests = isrcs.map(isrc => ({ isrc, requestedAt: new Date() }));
  const { items } = await listItems(
    { database: here.database, table: libraryAlbums, userId: user, filter: {} },
    { ...page, size: 200 },
  );
  const steps = await stepsOf(async database => {
    await readIngestions(database, requests.slice(0, 1));
    await readIngestions(database, requests);
    await readAlbumIngestions(
      database,
      items.map(({ id }) => id),
    );
    await countItemsOf(database, user);
    await countRecordingsOf(database, user);
  });
  expect(steps.filter(step => step.includes('ingestion'))).toEqual([
    'Index Scan ingestion_ledger_pkey',
    'Index Scan ingestion_outbox_pkey',
  ]);
  expect(steps.join()).not.toMatch(/Hash Join|Merge Join/);
});
