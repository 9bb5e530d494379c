import type { LogEventEntry, LogLevel } from '@segue/ingestion/logEvents/entry.ts';
import { logEvents } from '@segue/ingestion/logEvents.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { type LogLine, type RunningProcess, startProcess } from '@segue/testing/process.ts';
import { expect, onTestFinished, test, vi } from 'vitest';
import { addTrack, type ProcessName, startSurroundings } from './everyProcess.ts';

// Two processes at once take their time to start on a busy machine.
vi.setConfig({ testTimeout: 150_000 });

const levelNames: Record<number, LogLevel> = {
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/** Every line has an event of the map, at one of its levels, by a process that the map names. */
function expectLinesOfTheMap(name: ProcessName, process: RunningProcess): void {
  expect(process.output).toHaveLength(process.logs.length);
  for (const line of process.logs) {
    const { levels, by }: LogEventEntry = logEvents[line.event as keyof typeof logEvents];
    expect(levels).toContain(levelNames[line.level as number]);
    expect([name, 'every process'].some(each => by.includes(each as ProcessName))).toBe(true);
  }
}

/** How often a process has said each thing beyond the normal course: `error inngest_error`. */
function complaints(lines: readonly LogLine[]): Record<string, number> {
  const serious = lines.filter(({ level }) => (level as number) > 30);
  const bySort = Map.groupBy(serious, ({ level, event }) => `${levelNames[level as number]} ${event}`);
  return Object.fromEntries([...bySort].map(([sort, of]) => [sort, of.length]));
}

const requested = { title: 'So What', artist: 'Miles Davis', album: 'Kind of Blue' };
const rowsOf = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ isrc: `AWAYS${String(n).padStart(7, '0')}`, ...requested }));
const scheduledIn = ({ logs }: RunningProcess) => logs.filter(({ event }) => event === 'ingestion_scheduled');

test('Inngest away: a line for each call, and none for the rows', async () => {
  const { database, inngest, start } = await startSurroundings();
  const { process } = await start('relay');
  let refused = 0;
  inngest.answerWith(() => {
    refused += 1;
    return { status: 503, body: 'no' };
  });
  await database.sql`INSERT INTO ingestion_outbox ${database.sql(rowsOf(20))}`;
  await eventually(() => expect(refused).toBeGreaterThanOrEqual(3), { timeoutMs: 20_000 });
  inngest.answerWith(null);
  await eventually(() => expect(scheduledIn(process)).toHaveLength(20), { timeoutMs: 20_000 });
  await process.stop();
  expectLinesOfTheMap('relay', process);
  expect(complaints(process.logs)).toEqual({ 'error inngest_error': refused });
});

test('Qdrant away: a line for the batch, and none for its rows', async () => {
  const { database, qdrant, start } = await startSurroundings();
  const { process } = await start('relay');
  qdrant.answerWith(() => ({ status: 503, body: { status: { error: 'no' } } }));
  await database.sql`INSERT INTO ingestion_outbox ${database.sql(rowsOf(20))}`;
  await eventually(() => expect(scheduledIn(process)).toHaveLength(20), { timeoutMs: 20_000 });
  await process.stop();
  expectLinesOfTheMap('relay', process);
  expect(complaints(process.logs)).toEqual({ 'error qdrant_error': 1 });
});

test('the database away: each consequence is said once, however long it lasts, and once that it is over', async () => {
  const { line, start } = await startSurroundings();
  const [api, relay] = await Promise.all([start('api'), start('relay')]);
  const reads = async () => (await fetch(`${relay.address}/readyz`)).status;
  await eventually(async () => expect(await reads()).toBe(200));
  await line.cut();
  const answer = await addTrack(api.address, '1766030');
  for (let asked = 0; asked < 3; asked += 1) expect((await fetch(`${api.address}/readyz`)).status).toBe(503);
  await relay.process.waitForLog(({ msg }) => msg?.startsWith('the lease of the slots') === true, 20_000);
  // The relay reads no more once its lease is over: until then it has failed to read some ten times.
  await eventually(
    async () => {
      const text = await (await fetch(`${relay.address}/metrics`)).text();
      expect(text).toContain('\nsegue_relay_slots 32\n');
      expect(text).toContain('\nsegue_database_read_success 0\n');
    },
    { timeoutMs: 20_000 },
  );
  await line.mend();
  await relay.process.waitForLog(({ event }) => event === 'database_restored', 20_000);
  await relay.process.waitForLog(({ event }) => event === 'hints_restored', 40_000);
  await Promise.all([api.process.stop(), relay.process.stop()]);

  expectLinesOfTheMap('relay', relay.process);
  const ofRelay = complaints(relay.process.logs);
  expect(ofRelay).toMatchObject({
    'error database_error': 1,
    'warn database_error': 1,
    'warn hints_lost': 1,
  });
  // Rounds of upkeep that fell into the outage are among them.
  expect(new Set(Object.values(ofRelay))).toEqual(new Set([1]));
  expectLinesOfTheMap('api', api.process);
  expect(complaints(api.process.logs)).toEqual({
    'error database_unavailable': 1,
    'warn not_ready': 1,
    'warn catalog_completion_failed': 1,
  });
  const told = api.process.logs.find(({ event }) => event === 'database_unavailable');
  expect(told?.requestId).toBe(answer.headers.get('x-request-id'));
});

test('a poison row: a line for each refusal of it, and one for each refused call', async () => {
  const { database, inngest, start } = await startSurroundings();
  const { process } = await start('relay', { RELAY_MAX_ATTEMPTS: '2' });
  let refused = 0;
  inngest.answerWith(request => {
    if (!request.text().includes('POISN0000001')) return undefined;
    refused += 1;
    return { status: 400, body: { status: 400, ids: [''], error: 'not acceptable' } };
  });
  await database.sql`INSERT INTO ingestion_outbox ${database.sql({ isrc: 'POISN0000001', ...requested })}`;
  await eventually(
    async () => expect(await database.sql`SELECT status FROM ingestion_outbox`).toEqual([{ status: 'dead' }]),
    { timeoutMs: 30_000 },
  );
  await process.stop();
  expectLinesOfTheMap('relay', process);
  expect(refused).toBe(2);
  expect(complaints(process.logs)).toEqual({ 'error inngest_error': 2, 'error ingestion_error': 2 });
});

test('Inngest and Qdrant away from a worker: each is said once until it is back', async () => {
  const { inngest, qdrant, start } = await startSurroundings();
  let refused = 0;
  inngest.answerWith(() => {
    refused += 1;
    return { status: 503, body: 'no' };
  });
  let unasked = 0;
  qdrant.answerWith(() => {
    unasked += 1;
    return { status: 503, body: { status: { error: 'no' } } };
  });
  const { process } = await start('worker');
  await eventually(() => expect(Math.min(refused, unasked)).toBeGreaterThanOrEqual(3), { timeoutMs: 20_000 });
  inngest.answerWith(null);
  qdrant.answerWith(null);
  await process.waitForLog(({ event }) => event === 'functions_registered');
  await process.stop();
  expectLinesOfTheMap('worker', process);
  expect(complaints(process.logs)).toEqual({ 'error inngest_error': 1, 'error qdrant_error': 1 });
});

test.each<[ProcessName, string]>([
  ['api', 'API_PORT'],
  ['relay', 'RELAY_PORT'],
  ['worker', 'WORKER_PORT'],
])('a bad variable of the %s: one line at the end', async (name, variable) => {
  const process = await startProcess(`apps/${name}/main.ts`, { [variable]: 'hunter2' });
  onTestFinished(async () => void (await process.exited));
  expect(await process.exited).toEqual({ code: 1, signal: null });
  expectLinesOfTheMap(name, process);
  expect(complaints(process.logs)).toEqual({ 'fatal process_not_started': 1 });
  expect(process.output).toEqual([expect.stringContaining(variable)]);
});
