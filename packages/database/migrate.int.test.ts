import { randomBytes } from 'node:crypto';
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { normaliseIsrc } from '@segue/ingestion/isrc.ts';
import { createTestDatabase, useDatabase } from '@segue/testing/database.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Sql } from './connection.ts';
import { lockKey, migrate } from './migrate.ts';

const migrations = globSync('*.sql', { cwd: fileURLToPath(new URL('../../drizzle', import.meta.url)) });

/** Tables and views. */
const tables = [
  'album_ingestion_batches',
  'catalog_pending',
  'ingestion_actions',
  'ingestion_catalog_pending',
  'ingestion_figures',
  'ingestion_ledger',
  'ingestion_meters',
  'ingestion_outbox',
  'ingestion_outbox_by_album',
  'ingestion_outbox_dead',
  'ingestion_outbox_pending',
  'ingestion_outbox_stats',
  'ingestion_reconciled',
  'ingestion_recording',
  'library_albums',
  'library_removals',
  'library_tracks',
  'relay_control',
  'relay_reconciliation',
  'relay_slots',
  'relays',
  'segue_migrations',
];

describe('migrate', () => {
  test('makes the tables, and has nothing to do the second time', async () => {
    await using database = await createTestDatabase({ migrated: false });
    await migrate(database.url);
    const first = await tablesOf(database.sql);
    await migrate(database.url);

    expect(first).toEqual(tables);
    expect(await appliedMigrations(database.sql)).toBe(migrations.length);
  });

  test('applies each migration once when four processes start at the same time', async () => {
    await using database = await createTestDatabase({ migrated: false });
    await Promise.all([1, 2, 3, 4].map(() => migrate(database.url)));

    expect(await tablesOf(database.sql)).toEqual(tables);
    expect(await appliedMigrations(database.sql)).toBe(migrations.length);
  });
});

describe('migrate beside others', () => {
  test('waits for another, says so, and gives up', async () => {
    await using database = await createTestDatabase({ migrated: false });
    const other = await database.sql.reserve();
    await other`SELECT pg_advisory_lock(${lockKey})`;
    const heard: string[] = [];
    const waiting = migrate(database.url, {
      lockTimeoutMs: 600,
      tellEveryMs: 100,
      onWaiting: message => heard.push(message),
    });
    await expect(waiting).rejects.toThrow(
      /^another migration, by \S+ from \S+ \(pid \d+\), was not done within \d s \(MIGRATE_LOCK_TIMEOUT_MS\)/,
    );
    expect(heard[0]).toMatch(/^waiting for another migration, by \S+ from \S+ \(pid \d+\), for \d s so far$/);
    other.release();
  });

  test('stands beside the schema_migrations of Rails and of golang-migrate', async () => {
    await using database = await createTestDatabase({ migrated: false });
    await database.sql`CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)`;
    await database.sql`INSERT INTO schema_migrations VALUES (7, false)`;
    await migrate(database.url);
    expect(await tablesOf(database.sql)).toEqual([...tables, 'schema_migrations'].sort());
    expect(await database.sql`SELECT * FROM schema_migrations`).toEqual([{ version: 7, dirty: false }]);
  });

  test("stands beside another program's Drizzle, whose last migration is later than ours", async () => {
    await using database = await createTestDatabase({ migrated: false });
    await makeEarlierTable(database.sql);
    await database.sql`INSERT INTO schema_migrations (hash, created_at) VALUES ('theirs', 9999999999999)`;
    await migrate(database.url);
    expect(await tablesOf(database.sql)).toEqual([...tables, 'schema_migrations'].sort());
    expect(await appliedMigrations(database.sql)).toBe(migrations.length);
  });

  test('renames the table of earlier versions, and applies nothing twice', async () => {
    await using database = await createTestDatabase({ migrated: false });
    await migrate(database.url);
    await database.sql`ALTER TABLE segue_migrations RENAME TO schema_migrations`;
    await database.sql`ALTER SEQUENCE segue_migrations_id_seq RENAME TO schema_migrations_id_seq`;
    await migrate(database.url);
    expect(await tablesOf(database.sql)).toEqual(tables);
    expect(await appliedMigrations(database.sql)).toBe(migrations.length);
  });

  test('copies its rows out of a table that it shared with another Drizzle', async () => {
    await using database = await createTestDatabase({ migrated: false });
    await migrate(database.url);
    await makeEarlierTable(database.sql);
    await database.sql`
      INSERT INTO schema_migrations (hash, created_at)
      SELECT hash, created_at FROM segue_migrations UNION ALL SELECT 'theirs', 9999999999999`;
    await database.sql`DROP TABLE segue_migrations`;
    await migrate(database.url);
    expect(await appliedMigrations(database.sql)).toBe(migrations.length);
    expect(await database.sql`SELECT FROM schema_migrations`).toHaveLength(migrations.length + 1);
  });
});

test('a database that is not UTF-8 is refused in one line', async () => {
  await using database = await createTestDatabase({ migrated: false });
  const name = `segue_test_${randomBytes(6).toString('hex')}`;
  await database.sql`
    CREATE DATABASE ${database.sql(name)} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`;
  const url = new URL(database.url);
  url.pathname = name;
  await expect(migrate(url.href)).rejects.toThrow(`the database ${name} is in LATIN1, and titles need UTF-8`);
  await database.sql`DROP DATABASE ${database.sql(name)} WITH (FORCE)`;
});

describe('a request by INSERT', () => {
  const database = useDatabase();
  const request = (isrc: string) => database.sql`
    INSERT INTO ingestion_outbox (isrc, title, artist, album) VALUES (${isrc}, 'Title', 'Artist', 'Album')
    RETURNING isrc, status, priority, force, attempts
  `;

  test('needs four columns, and its ISRC is normalised', async () => {
    expect(await request('us-rc1 76-07839')).toEqual([
      { isrc: 'USRC17607839', status: 'pending', priority: 0, force: false, attempts: 0 },
    ]);
  });

  test.each(['', 'USRC1760783', 'USRC176078399', 'USRC1760783É', 'USRC1760783ı'])(
    'is refused for the ISRC "%s"',
    async isrc => {
      await expect(request(isrc)).rejects.toMatchObject({
        code: '23514',
        constraint_name: 'ingestion_outbox_isrc_valid',
        message: expect.stringContaining('is no ISRC'),
      });
    },
  );

  test('cannot be given an invalid ISRC later', async () => {
    await request('USRC17607830');
    await expect(
      database.sql`UPDATE ingestion_outbox SET isrc = 'nonsense' WHERE isrc = 'USRC17607830'`,
    ).rejects.toMatchObject({ code: '23514' });
  });

  test('is normalised as the TypeScript does it, whatever the text', async () => {
    // What either side takes for white space, hyphens and their look-alikes, letters with odd upper cases.
    const awkward = fc.constantFrom(
      ...' \t\n\v\f\r\u001c\u0085\u00a0\u1680\u00ad\u180e\u2003\u200b\u200f\u2028\u2060\u2064\u2065\u202f\u3000\ufeff-‐‑–ıſKßéaZ9',
    );
    const character = fc.string({ unit: 'binary', minLength: 1, maxLength: 1 });
    const anything = fc.string({ unit: fc.oneof(awkward, character) }).filter(value => !value.includes('\0'));
    const labelled = fc
      .tuple(
        fc.constantFrom('ISRC', 'isrc:', 'ISRC :', 'ISRC:ISRC'),
        awkward,
        fc.stringMatching(/^[a-zA-Z0-9]{11,13}$/),
      )
      .map(parts => parts.join(''));
    const text = fc.oneof(anything, labelled);

    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 20 }), async texts => {
        const rows = await database.sql`
          SELECT normalise_isrc(value) AS isrc
          FROM unnest(${texts}::text[]) WITH ORDINALITY AS given(value, position) ORDER BY position
        `;
        expect(rows.map(row => row.isrc)).toEqual(texts.map(normaliseIsrc));
      }),
      { numRuns: 200 },
    );
  });
});

/** As Drizzle makes it, under the name that ours had. */
async function makeEarlierTable(sql: Sql): Promise<void> {
  await sql`CREATE TABLE schema_migrations (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint)`;
}

async function tablesOf(sql: Sql): Promise<string[]> {
  const rows =
    await sql`SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`;
  return rows.map(row => row.table_name);
}

async function appliedMigrations(sql: Sql): Promise<number> {
  const [row] = await sql`SELECT count(*)::int AS count FROM segue_migrations`;
  return row?.count;
}
