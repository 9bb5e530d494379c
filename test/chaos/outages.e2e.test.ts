import { addressOf, newIsrc, useRelayProcesses } from '@segue/relay/test/relayProcess.ts';
import { startTidal } from '@segue/stand-ins/tidal/server.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { type RunningProcess, startProcess } from '@segue/testing/process.ts';
import { expect, onTestFinished, test } from 'vitest';
import { startDatabase } from './system/database.ts';

const here = useRelayProcesses();

const some = (count: number) => Array.from({ length: count }, () => ({ isrc: newIsrc() }));
const readiness = async (address: string) =>
  ((await (await fetch(`${address}/readyz`)).json()) as { status: string }).status;

test('an Inngest that is away is called less than once a second, and /readyz says so until it is back', async () => {
  const calls: number[] = [];
  here.inngest.answerWith(() => {
    calls.push(performance.now());
    return { status: 503 };
  });
  await here.add(some(100));
  const relay = await here.start({ RELAY_BATCH_SIZE: '10', RELAY_CONCURRENCY: '4' });
  const address = await addressOf(relay);

  // Four batches find it out at the same time; every call after that is a probe.
  await eventually(() => expect(calls.length).toBeGreaterThanOrEqual(7), { timeoutMs: 30_000 });
  const [fourth, , , seventh] = calls.slice(3) as [number, number, number, number];
  expect(seventh - fourth).toBeGreaterThan(3_000);
  expect(await readiness(address)).toBe('degraded');

  here.inngest.answerWith(null);
  expect(await here.drained()).toEqual({ scheduled: 100 });
  expect(await readiness(address)).toBe('ready');
  expect(await here.sql`SELECT FROM ingestion_outbox WHERE attempts > 0`).toEqual([]);
});

test('an Inngest that refuses everything, since its own queue is away, is an outage: nothing dies', async () => {
  let calls = 0;
  here.inngest.answerWith(() => {
    calls++;
    return { status: 400, body: { ids: [''], status: 400, error: 'handler error' } };
  });
  await here.add(some(499));
  const relay = await here.start({ RELAY_MAX_ATTEMPTS: '1' });
  const address = await addressOf(relay);

  // The first batch and two probes, each with its canary.
  await eventually(() => expect(calls).toBeGreaterThanOrEqual(6), { timeoutMs: 30_000 });
  await eventually(async () => expect(await readiness(address)).toBe('degraded'));
  expect(await here.sql`SELECT FROM ingestion_outbox WHERE attempts > 0 OR settled_at IS NOT NULL`).toEqual(
    [],
  );

  here.inngest.answerWith(null);
  expect(await here.drained()).toEqual({ scheduled: 499 });
  expect(await readiness(address)).toBe('ready');
});

test('an Inngest that asks for three seconds gets them', async () => {
  const calls: number[] = [];
  here.inngest.answerWith(() => {
    calls.push(performance.now());
    return calls.length === 1 ? { status: 429, headers: { 'retry-after': '3' } } : undefined;
  });
  await here.add(some(5));
  await here.start({ RELAY_CONCURRENCY: '1' });
  await here.drained();

  const [first, second] = calls as [number, number];
  // A timer may be a millisecond early.
  expect(second - first).toBeGreaterThan(2_990);
});

test('an index that hangs delays one batch by two seconds, and the others not at all', async () => {
  let asked = 0;
  here.qdrant.answerWith(() => {
    asked++;
    return 'hang';
  });
  await here.add(some(50));
  const relay = await here.start({ RELAY_BATCH_SIZE: '5', RELAY_CONCURRENCY: '1' });
  expect(await here.drained()).toEqual({ scheduled: 50 });
  // Its lines come a little behind its rows.
  await relay.stop();

  const errors = relay.logs.filter(({ event }) => event === 'qdrant_error');
  // A batch has five rows at the most: each slot has its share of it.
  expect(errors.length).toBeGreaterThanOrEqual(10);
  expect(errors[0]?.duration_ms).toBeGreaterThan(1_990);
  // Twice what it should be, for a machine that is busy.
  expect(errors[0]?.duration_ms).toBeLessThan(4_000);
  expect(asked).toBeLessThan(3);
});

test('PostgreSQL restarts: API and relay say that it is away, and go on by themselves', async () => {
  const database = await startDatabase();
  onTestFinished(database.stop);
  const tidal = await startTidal();
  onTestFinished(tidal.close);
  const relay = await here.start({ DATABASE_URL: database.url });
  const api = await startApi({
    DATABASE_URL: database.url,
    TIDAL_API_URL: tidal.apiUrl,
    TIDAL_AUTH_URL: tidal.authUrl,
    TIDAL_CLIENT_ID: tidal.clientId,
    TIDAL_CLIENT_SECRET: tidal.clientSecret,
  });
  const addresses = await Promise.all([addressOf(relay), apiAddressOf(api)]);
  const add = (tidalTrackId: string) => addTrack(addresses[1], tidalTrackId);
  const sent = (count: number) => eventually(() => expect(here.inngest.events()).toHaveLength(count));

  expect(await add('1766030')).toMatchObject({ data: { answer: { __typename: 'LibraryTrack' } } });
  await sent(1);
  await database.restart(async () => {
    expect(await add('1766031')).toMatchObject({
      errors: [{ extensions: { code: 'DATABASE_UNAVAILABLE' } }],
    });
    expect(await Promise.all(addresses.map(readiness))).toEqual(['waiting', 'waiting']);
  });
  await eventually(async () => {
    expect(await add('1766031')).toMatchObject({ data: { answer: { __typename: 'LibraryTrack' } } });
  });
  await sent(2);
  await eventually(async () =>
    expect(await Promise.all(addresses.map(readiness))).toEqual(['ready', 'ready']),
  );

  for (const process of [relay, api]) expect(await process.stop()).toEqual({ code: 0, signal: null });
});

async function startApi(env: Record<string, string>): Promise<RunningProcess> {
  const api = await startProcess('apps/api/main.ts', { ...env, API_PORT: '0' });
  onTestFinished(async () => {
    api.kill('SIGKILL');
    await api.exited;
  });
  return api;
}

async function addTrack(address: string, tidalTrackId: string): Promise<unknown> {
  const query = `mutation { answer: addTrackToLibrary(input: {tidalTrackId: "${tidalTrackId}"}) { __typename } }`;
  const response = await fetch(`${address}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return await response.json();
}

async function apiAddressOf(api: RunningProcess): Promise<string> {
  const { address } = await api.waitForLog(line => line.address !== undefined);
  return String(address);
}
