import { readFileSync } from 'node:fs';
import type { Sql } from '@segue/database/connection.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { beforeAll, describe, expect, test } from 'vitest';

const page = readFileSync(new URL('../../../docs/outbox-in-sql.md', import.meta.url), 'utf8');
const questions = [...page.matchAll(/^### (\d+\. .+)$[\s\S]*?```sql\n([\s\S]*?)```/gm)].map(
  ([, question, query]) => [question, query] as [string, string],
);
const acting = page.slice(page.indexOf('## Acting'));
const statements = [...acting.matchAll(/```sql\n([\s\S]*?)```/g)].flatMap(([, block]) =>
  (block as string)
    .replace(/^--.*$/gm, '')
    .split(';')
    .map(statement => statement.trim()),
);

const database = useDatabase();

/** A history beyond the 64 MB up to which all of it is counted, with little that is open or dead. */
const settled = 300_000;

beforeAll(async () => {
  await fill(database.sql);
});

async function fill(sql: Sql): Promise<void> {
  await sql`ALTER TABLE ingestion_outbox SET (autovacuum_enabled = off)`;
  await sql`
    INSERT INTO ingestion_outbox (isrc, title, artist, album, status, reason, settled_at, created_at, generation)
    SELECT 'TE' || lpad(n::text, 10, '0'), repeat('a title ', 8), repeat('an artist ', 6), repeat('an album ', 8),
      CASE n % 20 WHEN 0 THEN 'skipped' ELSE 'scheduled' END, CASE n % 20 WHEN 0 THEN 'duplicate' END,
      now(), now() - interval '1 day', 1
    FROM generate_series(1, ${settled}::int) AS n`;
  await sql`
    INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at)
    SELECT isrc, id, 1, now() FROM ingestion_outbox WHERE status = 'scheduled'`;
  await sql`
    INSERT INTO ingestion_outbox (isrc, title, artist, album, status, reason, settled_at, attempts)
    SELECT 'DE' || lpad(n::text, 10, '0'), 'Dead', 'A', 'B', 'dead', 'Inngest: bad event', now(), 10
    FROM generate_series(1, 100) AS n`;
  await sql`
    INSERT INTO ingestion_outbox (isrc, title, artist, album)
    SELECT 'PE' || lpad(n::text, 10, '0'), 'Pending', 'A', 'B' FROM generate_series(1, 500) AS n`;
  await sql`INSERT INTO album_ingestion_batches (total_tracks, scheduled_count) SELECT 12, 12 FROM generate_series(1, 5000)`;
  await sql`ANALYZE`;
}

test('the page asks ten questions', () => {
  expect(questions).toHaveLength(10);
});

type PlanNode = { 'Node Type': string; 'Relation Name'?: string; Plans?: PlanNode[] };

describe.each(questions)('%s', (_, query) => {
  const asked = query.replaceAll('USRC17607839', 'TE0000000777').replace(/;\s*$/, '');

  test('is answered for a reader', async () => {
    const answer = await database.sql.begin(async transaction => {
      await transaction`SET LOCAL ROLE segue_reader`;
      return transaction.unsafe(asked);
    });
    expect(Array.isArray(answer)).toBe(true);
  });

  test('walks no settled history', async () => {
    const [explained] = await database.sql.unsafe<[{ 'QUERY PLAN': [{ Plan: PlanNode }] }]>(
      `EXPLAIN (FORMAT JSON) ${asked}`,
    );
    const scans = (node: PlanNode): string[] => [
      ...(node['Node Type'] === 'Seq Scan' ? [node['Relation Name'] as string] : []),
      ...(node.Plans ?? []).flatMap(scans),
    ];
    const walked = scans(explained['QUERY PLAN'][0].Plan);
    expect(
      walked.filter(table =>
        ['ingestion_outbox', 'ingestion_ledger', 'album_ingestion_batches'].includes(table),
      ),
    ).toEqual([]);
  });
});

test('in a large outbox what is settled is estimated, and what is open or dead is counted', async () => {
  const stats = await database.sql`
    SELECT status, reason, requests::int, exact FROM ingestion_outbox_stats ORDER BY status, reason`;
  expect(stats).toContainEqual({ status: 'pending', reason: null, requests: 500, exact: true });
  expect(stats).toContainEqual({ status: 'dead', reason: 'Inngest: bad event', requests: 100, exact: true });
  const scheduled = stats.find(({ status }) => status === 'scheduled');
  expect(scheduled).toMatchObject({ exact: false });
  expect(scheduled?.requests / settled).toBeCloseTo(0.95, 1);
});

test('the parts of the count that read the outbox walk indexes of what is open or dead', async () => {
  const [{ source }] = await database.sql<[{ source: string }]>`
    SELECT prosrc AS source FROM pg_proc WHERE proname = 'ingestion_outbox_counts'`;
  for (const part of [
    'SELECT count(*), min(created_at) FROM ingestion_outbox WHERE settled_at IS NULL',
    "SELECT reason, count(*) FROM ingestion_outbox WHERE status = 'dead' GROUP BY 1",
  ]) {
    const plan = JSON.stringify(await database.sql.unsafe(`EXPLAIN (FORMAT JSON) ${part}`));
    expect(plan).not.toContain('Seq Scan');
  }
  expect(source).toContain('67108864');
});

test('every statement under "Acting" can be run as it stands', async () => {
  await database.sql`
    INSERT INTO ingestion_outbox (id, isrc, title, artist, album, status, reason, settled_at)
    VALUES (-1, 'USRC17607839', 'a', 'b', 'c', 'dead', 'event too large', now())`;
  await database.sql.begin(async transaction => {
    await transaction`UPDATE relay_slots SET owner = gen_random_uuid(), lease_end = now() - interval '1 hour'`;
    for (const statement of statements.filter(Boolean)) {
      await transaction.unsafe(
        statement.replace('{1042, 1043}', '{-1}').replace('USRC17607839}', 'DE0000000001}'),
      );
    }
  });
  const done = await database.sql`SELECT action FROM ingestion_actions ORDER BY id`;
  expect(done.map(({ action }) => action)).toEqual([
    'requeue',
    'requeue',
    'discard',
    'reschedule',
    'release_stuck',
    'pause',
    'resume',
  ]);
});
