import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type Sql } from '@segue/database/connection.ts';
import { migrate } from '@segue/database/migrate.ts';
import type { IngestionRequest } from '@segue/ingestion/request.ts';
import { startLocalPostgres } from '@segue/local-postgres/localPostgres.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { expect, onTestFinished, test } from 'vitest';
import { type ClaimedRow, claim } from './claim.ts';
import { readSettledUnder, settle } from './settle.ts';
import { take } from './take.ts';
import { asScheduled, enqueue, newRequest, windowMs } from './test/outbox.ts';

const batch = { limit: 10, leaseMs: 3_600_000 };
const window = { dedupeWindowMs: windowMs };

/**
 * A server that can crash, and that writes nothing out by itself for 10 s: what a crash takes is all that no commit
 * has waited for.
 */
async function crashableServer(): Promise<{ sql: Sql; crash(): Promise<void> }> {
  const dataFolder = join(tmpdir(), `segue-crash-${randomBytes(6).toString('hex')}`);
  const settings = { synchronous_commit: 'on', wal_writer_delay: '10s', autovacuum: 'off' };
  const server = await startLocalPostgres({ dataFolder, settings, persistent: false });
  onTestFinished(() => server.stop());
  await migrate(server.url);
  const sql = connect({ url: server.url, applicationName: 'segue-test', max: 1 });
  onTestFinished(() => sql.end({ timeout: 1 }));
  return {
    sql,
    /** A session that dies by SIGKILL takes the server down: it starts anew and recovers from its log. */
    async crash() {
      const [session] = await sql<[{ pid: number }]>`SELECT pg_backend_pid() AS pid`;
      process.kill(session.pid, 'SIGKILL');
      await eventually(() => sql`SELECT`, { timeoutMs: 20_000 });
    },
  };
}

const idsOf = (rows: ClaimedRow[]) => rows.map(row => row.id);

/** Requests the recording once more, forced, and claims and takes what is due. */
async function takeForced(sql: Sql, request: IngestionRequest) {
  await enqueue(sql, { ...request, force: true });
  const { lease, rows } = await claim(sql, batch);
  return take(sql, lease, rows, window);
}

test('what a crash takes of a claim is claimed again, and both claims make the same event', async () => {
  const { sql, crash } = await crashableServer();
  await enqueue(sql, newRequest());
  const before = await claim(sql, batch);

  await crash();
  // The first relay knows nothing of it, and goes on.
  const taken = [{ verdict: 'taken', generation: 1 }];
  expect(await take(sql, before.lease, before.rows, window)).toMatchObject(taken);
  const after = await claim(sql, batch);
  expect(after.rows).toEqual(before.rows);
  expect(await take(sql, after.lease, after.rows, window)).toMatchObject(taken);
  const ids = idsOf(after.rows);
  expect(await settle(sql, before.lease, asScheduled(ids, 1))).toMatchObject({ ids: [] });
  expect(await settle(sql, after.lease, asScheduled(ids, 1))).toMatchObject({ ids });
});

test('a taking outlives a crash, and so does its claim: the settlement that follows finds both', async () => {
  const { sql, crash } = await crashableServer();
  const request = newRequest();
  await enqueue(sql, request);
  const { lease, rows } = await claim(sql, batch);
  expect(await take(sql, lease, rows, window)).toMatchObject([{ verdict: 'taken', generation: 1 }]);

  await crash();
  const ids = idsOf(rows);
  expect(await settle(sql, lease, asScheduled(ids, 1))).toMatchObject({ ids });
  // Forgotten, the sending would lend its event id to this one, which Inngest would drop.
  expect(await takeForced(sql, request)).toMatchObject([{ verdict: 'taken', generation: 2 }]);
});

test('so does the taking of a recording that the ledger knows', async () => {
  const { sql, crash } = await crashableServer();
  const request = newRequest();
  await enqueue(sql, request);
  const first = await claim(sql, batch);
  await take(sql, first.lease, first.rows, window);
  await settle(sql, first.lease, asScheduled(idsOf(first.rows), 1));
  expect(await takeForced(sql, request)).toMatchObject([{ verdict: 'taken', generation: 2 }]);

  await crash();
  expect(await takeForced(sql, request)).toMatchObject([{ verdict: 'held' }]);
  const [ledger] = await sql`SELECT generation FROM ingestion_ledger`;
  expect(ledger).toEqual({ generation: 2 });
});

test('a crash takes nothing of what is settled, nor of what came before it', async () => {
  const { sql, crash } = await crashableServer();
  for (const request of [newRequest(), newRequest()]) await enqueue(sql, request);
  const { lease, rows } = await claim(sql, batch);
  await take(sql, lease, rows, window);
  const [settled] = idsOf(rows) as [number];
  await settle(sql, lease, asScheduled([settled], 1));

  await crash();
  expect(await readSettledUnder(sql, lease, idsOf(rows))).toEqual([settled]);
  expect((await claim(sql, batch)).rows).toEqual([]);
  const [ledger] = await sql`SELECT count(*)::int AS entries FROM ingestion_ledger`;
  expect(ledger?.entries).toBe(2);
});
