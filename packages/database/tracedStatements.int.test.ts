import { causedBy } from '@segue/telemetry/origin.ts';
import { recordSpans } from '@segue/telemetry/test/recordedSpans.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { drizzle } from 'drizzle-orm/postgres-js';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from './connection.ts';
import { libraryTracks } from './schema/tables.ts';
import { traceStatements } from './tracedStatements.ts';

const database = useDatabase();
const recorded = recordSpans();
const traceId = '0af7651916cd43dd8448eb211c80319c';

function tracedPool() {
  const sql = connect({ url: database.url, applicationName: 'test', max: 2 });
  onTestFinished(() => sql.end());
  return traceStatements(sql);
}

/** A statement is run when somebody waits for it: here, within the trace. */
const withinTrace = <Result>(work: () => PromiseLike<Result>) =>
  causedBy({ requestId: null, traceparent: `00-${traceId}-b7ad6b7169203331-01` }, async () => await work());
const spans = () =>
  recorded.getFinishedSpans().map(({ name, attributes }) => [name, attributes['db.query.text']]);

test('a statement within a trace is a span, with its text and without what is given', async () => {
  const sql = tracedPool();
  const id = 'secret-id';
  const part = sql`user_id = ${id}`;
  expect(
    await withinTrace(() => sql`SELECT id FROM library_tracks WHERE ${part} AND title = ${'x'}`),
  ).toEqual([]);
  expect(spans()).toEqual([
    ['SELECT library_tracks', 'SELECT id FROM library_tracks WHERE user_id = $1 AND title = $2'],
  ]);
  expect(recorded.getFinishedSpans()[0]?.spanContext().traceId).toBe(traceId);
});

test('a statement for nobody is no span', async () => {
  const sql = tracedPool();
  await sql`SELECT 1`;
  expect(spans()).toEqual([]);
});

test('statements of a transaction and of drizzle are spans', async () => {
  const sql = tracedPool();
  await withinTrace(() => sql.begin(transaction => transaction`UPDATE relay_control SET paused_at = NULL`));
  await withinTrace(() => drizzle(sql).select({ id: libraryTracks.id }).from(libraryTracks));
  expect(spans().map(([name]) => name)).toEqual(['UPDATE relay_control', 'SELECT library_tracks']);
});

test('a statement that fails is a span that says so, and throws as it did', async () => {
  const sql = tracedPool();
  const asked = withinTrace(() => sql`SELECT 1 / ${0}::int`);
  await expect(asked).rejects.toThrow('division by zero');
  const [span] = recorded.getFinishedSpans();
  expect([span?.status, span?.attributes['error.type']]).toEqual([
    { code: 2, message: 'division by zero' },
    'PostgresError',
  ]);
});
