import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Inngest } from 'inngest';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type InngestOptions, startInngest } from './server.ts';

const ulid = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

async function start(options: InngestOptions = {}) {
  const server = await startInngest(options);
  onTestFinished(server.close);
  const send = async (body: unknown, key = 'any', headers: Record<string, string> = {}) => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers } };
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(`${server.url}/e/${key}`, { ...init, body: text });
    return { status: response.status, body: (await response.json()) as { ids: string[]; error?: string } };
  };
  const get = async (path: string) => {
    const response = await fetch(`${server.url}${path}`);
    const body = (await response.json()) as { data: Record<string, unknown>[] };
    return { status: response.status, body };
  };
  return { ...server, send, get };
}

test('the real SDK sends one event and many', async () => {
  const { url, events } = await start();
  const client = new Inngest({ id: 'test', isDev: true, baseUrl: url });
  const one = await client.send({ name: 'a', data: { n: 0 }, id: 'a:0' });
  const many = await client.send([
    { name: 'a', data: { n: 1 }, id: 'a:1' },
    { name: 'b', data: { n: 2 } },
  ]);
  expect([...one.ids, ...many.ids]).toEqual(events().map(event => event.internalId));
  expect(events()).toMatchObject([
    { id: 'a:0', name: 'a', data: { n: 0 }, startedRun: true },
    { id: 'a:1', name: 'a', data: { n: 1 }, startedRun: true },
    { id: many.ids[1], name: 'b', data: { n: 2 }, startedRun: true },
  ]);
});

test("a repeated attempt of the SDK's brings the same ids, is stored twice, and starts one run", async () => {
  const { url, events, answerWith, get } = await start();
  let attempts = 0;
  answerWith(() => (++attempts === 1 ? 'lose-answer' : undefined));
  const client = new Inngest({ id: 'test', isDev: true, baseUrl: url });
  const { ids } = await client.send({ name: 'a', data: {}, id: 'a:0' });
  expect(attempts).toBe(2);
  expect(events().map(({ internalId, startedRun }) => [internalId, startedRun])).toEqual([
    [ids[0], true],
    [ids[0], false],
  ]);
  expect((await get(`/v1/events/${ids[0]}/runs`)).body.data).toHaveLength(1);
});

test('a bad event ends the batch: those before it are in, those after it are not', async () => {
  const { send, events } = await start();
  const { status, body } = await send([{ name: 'a' }, { name: 'b' }, { name: '' }, { name: 'c' }]);
  expect(status).toBe(400);
  expect(body).toEqual({
    ids: [expect.stringMatching(ulid), expect.stringMatching(ulid)],
    status: 400,
    error: 'event name is empty',
  });
  expect(events().map(event => event.name)).toEqual(['a', 'b']);
  expect(events().map(event => event.internalId)).toEqual(body.ids);
});

test('events that are lost are answered like all others, and are not there', async () => {
  const { send, events, loseEvents } = await start();
  loseEvents(({ id }) => id === 'b');
  const both = await send([
    { id: 'a', name: 'a', data: {} },
    { id: 'b', name: 'a', data: {} },
  ]);
  expect(both).toMatchObject({
    status: 200,
    body: { ids: [expect.stringMatching(ulid), expect.stringMatching(ulid)] },
  });
  expect(events().map(({ id }) => id)).toEqual(['a']);
  loseEvents(null);
  await send({ id: 'b', name: 'a', data: {} });
  expect(events()).toMatchObject([{ id: 'a' }, { id: 'b', startedRun: true }]);
});

test('more than 5,000 events: the first 5,000 are in', async () => {
  const { send, events } = await start();
  const { status, body } = await send(Array(5_001).fill({ name: 'a' }));
  expect(status).toBe(400);
  expect(body.ids).toHaveLength(5_000);
  expect(body.error).toBe('Cannot have more than 5000 events in a batch');
  expect(events()).toHaveLength(5_000);
});

test.each<[unknown, number]>([
  [[], 200],
  ['', 200],
  [{ name: 'inngest/x' }, 400],
  ['nonsense', 400],
])('there is an empty id where there is no event: %j', async (sent, expected) => {
  const { send, events } = await start();
  const { status, body } = await send(sent);
  expect(status).toBe(expected);
  expect(body.ids).toEqual(['']);
  expect(events()).toEqual([]);
});

test('any key is good until one is set', async () => {
  const open = await start();
  expect((await open.send({ name: 'a' }, 'whatever')).status).toBe(200);
  const locked = await start({ eventKey: 'k'.repeat(120) });
  expect((await locked.send({ name: 'a' }, 'k'.repeat(120))).status).toBe(200);
  expect(await locked.send({ name: 'a' }, 'other')).toEqual({
    status: 401,
    body: { status: 401, message: '', error: 'Event key not found' },
  });
  expect(locked.events()).toHaveLength(1);
});

test('a request may have 16 MiB', async () => {
  const { url } = await start();
  const body = `[${' '.repeat(16 * 1024 * 1024)}]`;
  const response = await fetch(`${url}/e/any`, { method: 'POST', body });
  expect(response.status).toBe(413);
});

test('the answer to events is JSON under the name of text', async () => {
  const { url } = await start();
  const { headers } = await fetch(`${url}/e/any`, { method: 'POST', body: '{"name":"a"}' });
  expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
  expect(headers.get('x-inngest-server-kind')).toBe('dev');
});

test('health, and what is not there', async () => {
  const { url, get } = await start();
  expect(await get('/health')).toEqual({ status: 200, body: { status: 200, message: 'OK' } });
  expect((await fetch(`${url}/nowhere`)).status).toBe(404);
});

test('events are listed newest first, by name, with a limit and a cursor', async () => {
  const { send, get } = await start();
  const sent: string[] = [];
  for (const [index, name] of ['a', 'b', 'a', 'a'].entries()) {
    // Seeded, so that each is a millisecond younger than the one before.
    const seed = `${Date.UTC(2026, 0, 1) + index},${Buffer.alloc(10).toString('base64')}`;
    const { body } = await send({ name, id: `id:${index}`, data: { index } }, 'any', {
      'x-inngest-event-id-seed': seed,
    });
    sent.push(...body.ids);
  }
  const { body } = await get('/v1/events?name=a&limit=2');
  expect(body).toMatchObject({
    data: [
      {
        internal_id: sent[3],
        id: 'id:3',
        name: 'a',
        data: { index: 3 },
        ts: expect.any(Number),
        received_at: expect.any(String),
      },
      { internal_id: sent[2], id: 'id:2' },
    ],
    metadata: { fetched_at: expect.any(String) },
  });
  expect((await get(`/v1/events?name=a&limit=2&cursor=${sent[2]}`)).body.data).toMatchObject([
    { id: 'id:0' },
  ]);
});

test('a list has 20 events when no limit is given, and 51 at the most', async () => {
  const { send, get } = await start();
  await send(Array(60).fill({ name: 'a' }));
  expect((await get('/v1/events')).body.data).toHaveLength(20);
  expect((await get('/v1/events?limit=1000')).body.data).toHaveLength(51);
  expect((await get('/v1/events?limit=-1')).body.data).toHaveLength(1);
});

test('a second event of the same id is stored and starts no run, until 24 h are over', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const { send, get, events } = await start();
  const runsOf = async (id: string | undefined) => (await get(`/v1/events/${id}/runs`)).body.data;
  const first = (await send({ name: 'a', id: 'same' })).body.ids[0];
  vi.advanceTimersByTime(24 * 60 * 60 * 1000 - 1);
  const second = (await send({ name: 'another', id: 'same' })).body.ids[0];
  vi.advanceTimersByTime(1);
  const third = (await send({ name: 'a', id: 'same' })).body.ids[0];

  expect(events().map(event => event.startedRun)).toEqual([true, false, true]);
  expect(await runsOf(first)).toMatchObject([
    { run_id: expect.stringMatching(ulid), event_id: first, status: 'Scheduled', ended_at: null },
  ]);
  expect(await runsOf(second)).toEqual([]);
  expect(await runsOf(third)).toHaveLength(1);
});

test('runs of something that is no event id', async () => {
  const { get } = await start();
  expect(await get('/v1/events/short/runs')).toEqual({
    status: 400,
    body: { error: 'Invalid event ID: short', data: null, status: 400 },
  });
});

test('a listener hears of each event until it is taken out', async () => {
  const { send, onEvent } = await start();
  const heard: string[] = [];
  const stop = onEvent(event => heard.push(event.name));
  await send([{ name: 'a' }, { name: 'b' }]);
  stop();
  await send({ name: 'c' });
  expect(heard).toEqual(['a', 'b']);
});

test('no more is kept than twice the capacity', async () => {
  const { send, events } = await start({ capacity: 10 });
  for (let sent = 0; sent < 50; sent += 5)
    await send(Array.from({ length: 5 }, (_, index) => ({ name: `n${sent + index}` })));
  expect(events().length).toBeLessThanOrEqual(20);
  expect(events().length).toBeGreaterThanOrEqual(10);
  expect(events().at(-1)?.name).toBe('n49');
});

test('with a file, what was received is still there after a restart, and its ids are known', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'inngest-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'events.jsonl');
  const first = await start({ file, capacity: 10 });
  await first.send(Array.from({ length: 25 }, (_, index) => ({ name: 'a', id: `a:${index}` })));
  await first.close();

  const second = await start({ file, capacity: 10 });
  expect(second.events().map(event => event.id)).toEqual(
    Array.from({ length: 10 }, (_, index) => `a:${index + 15}`),
  );
  await second.send({ name: 'a', id: 'a:24' });
  expect(second.events().at(-1)?.startedRun).toBe(false);
});
