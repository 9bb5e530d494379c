import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { IngestionEvent } from '@segue/ingestion/event.ts';
import type { Isrc } from '@segue/ingestion/isrc.ts';
import type { Fault } from '@segue/stand-ins/faults.ts';
import { startInngest } from '@segue/stand-ins/inngest/server.ts';
import { Inngest } from 'inngest';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createEventSender } from './eventSender.ts';

const never = new AbortController().signal;
/** Longer than a test may take: where it matters, a test has a time limit of its own. */
const patient = { timeoutMs: 60_000, signal: never };

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

function event(number: number): IngestionEvent {
  const isrc = `TESTS${String(number).padStart(7, '0')}` as Isrc;
  return {
    id: `track-ingestion:${isrc}:1`,
    name: 'track/ingestion.requested',
    ts: Date.parse('2026-11-23T12:00:00Z'),
    data: { isrc, title: 'So What', artist: 'Miles Davis', album: 'Kind of Blue', priority: 0, force: false },
  };
}

/** A sender as a relay has it, and every request that it makes. */
function senderFor(url: string, env: Record<string, string> = {}) {
  const settings = {
    INNGEST_BASE_URL: url,
    INNGEST_EVENT_KEY: 'a-secret-event-key',
    INNGEST_DEV: '0',
    ...env,
  };
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
  const requests = vi.fn();
  subscribe('http.client.request.start', requests);
  onTestFinished(() => void unsubscribe('http.client.request.start', requests));
  return { send: createEventSender(), requests };
}

async function inngest(answer?: Fault, env?: Record<string, string>) {
  const server = await startInngest({ eventKey: 'a-secret-event-key' });
  onTestFinished(() => server.close());
  if (answer !== undefined) server.answerWith(() => answer);
  return { server, ...senderFor(server.url, env) };
}

/** A server that does what no proper one does. */
async function oddServer(listener: Parameters<typeof createServer>[1]) {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a batch is one request, and each event arrives as it was given', async () => {
  const { server, send, requests } = await inngest();
  const events = [event(1), event(2), event(3)];
  expect(await send(events, patient)).toEqual({ kind: 'accepted' });
  expect(requests).toHaveBeenCalledTimes(1);
  expect(server.events()).toMatchObject(events);
});

test('the same event is sent in the same bytes', async () => {
  const { server, send } = await inngest();
  const bodies: string[] = [];
  server.answerWith(request => {
    bodies.push(request.text());
    return undefined;
  });
  await send([event(1)], patient);
  await send([event(1)], patient);
  expect(bodies).toHaveLength(2);
  expect(bodies[0]).toBe(bodies[1]);
});

test('what is sent is what the SDK would send', async () => {
  const { server, send } = await inngest(undefined, { INNGEST_ENV: 'a-branch' });
  const requests: object[] = [];
  server.answerWith(request => {
    const ofOurs = Object.entries(request.headers).filter(([name]) => /^content-type$|^x-inngest/.test(name));
    const { 'x-inngest-event-id-seed': _, ...headers } = Object.fromEntries(ofOurs);
    requests.push({ url: request.url, headers, text: request.text() });
    return undefined;
  });
  await send([event(1), event(2)], patient);
  await new Inngest({ id: 'segue-relay' }).send([event(1), event(2)]);
  const [ours, ofSdk] = requests;
  expect(ours).toEqual(ofSdk);
  expect(ours).toHaveProperty('headers.x-inngest-env', 'a-branch');
});

test('a time limit may be a fraction of a millisecond, as what is left of a lease is', async () => {
  const { send } = await inngest();
  expect(await send([event(1)], { timeoutMs: 12_345.678, signal: never })).toEqual({ kind: 'accepted' });
});

test('several calls at the same time have each an answer of their own', async () => {
  const { server, send } = await inngest();
  server.answerWith(request =>
    request.text().includes(event(2).id) ? { status: 503, body: 'later' } : undefined,
  );
  const answers = await Promise.all([1, 2, 3].map(number => send([event(number)], patient)));
  expect(answers.map(({ kind }) => kind)).toEqual(['accepted', 'unavailable', 'accepted']);
});

describe('a call that fails is one request, and its answer is kept', () => {
  test.each<[string, Fault, object]>([
    [
      '503 with a page',
      { status: 503, headers: { 'content-type': 'text/html' }, body: '<html>Service Unavailable</html>' },
      { kind: 'unavailable', error: 'Inngest answered 503: <html>Service Unavailable</html>' },
    ],
    [
      '429',
      { status: 429, headers: { 'retry-after': '7' }, body: 'slower' },
      { kind: 'unavailable', error: 'Inngest answered 429: slower', retryAfterMs: 7_000 },
    ],
    ['500', { status: 500 }, { kind: 'unavailable', error: 'Inngest answered 500: nothing' }],
    [
      '200 with broken JSON',
      { status: 200, body: '{"ids":["01' },
      { kind: 'unavailable', error: expect.stringContaining('200 with something else') },
    ],
    [
      '200 for one event of two',
      { status: 200, body: { status: 200, ids: ['01J8'] } },
      { kind: 'unavailable', error: 'Inngest answered 200 for 1 of 2 events' },
    ],
    [
      '400',
      { status: 400, body: { status: 400, ids: ['01J8', ''], error: 'event name is empty' } },
      { kind: 'refused', error: 'Inngest answered 400: event name is empty', published: 1 },
    ],
    [
      'a redirection, which is not followed',
      { status: 307, headers: { location: 'http://127.0.0.1:1/' } },
      {
        kind: 'unavailable',
        error: expect.stringMatching(/^Inngest answered 307: nothing.*127\.0\.0\.1:1.*INNGEST_BASE_URL$/),
      },
    ],
    [
      'a connection that is reset',
      'reset',
      { kind: 'unavailable', error: expect.stringContaining('ECONNRESET'), broken: true },
    ],
    [
      'an answer that is lost',
      'lose-answer',
      { kind: 'unavailable', error: expect.stringContaining('ECONNRESET'), broken: true },
    ],
  ])('%s', async (_, fault, answer) => {
    const { send, requests } = await inngest(fault);
    expect(await send([event(1), event(2)], patient)).toEqual(answer);
    expect(requests).toHaveBeenCalledTimes(1);
  });

  test('nobody listens', async () => {
    const { server, send, requests } = await inngest();
    await server.close();
    expect(await send([event(1)], patient)).toEqual({
      kind: 'unavailable',
      error: expect.stringMatching(/^connect ECONNREFUSED 127\.0\.0\.1:\d+$/),
    });
    expect(requests).toHaveBeenCalledTimes(1);
  });

  test('a wrong key', async () => {
    const { send, requests } = await inngest(undefined, { INNGEST_EVENT_KEY: 'the-wrong-event-key' });
    expect(await send([event(1)], patient)).toEqual({
      kind: 'unavailable',
      error: expect.stringMatching(/^Inngest answered 401: Event key not found\. Check INNGEST_EVENT_KEY/),
    });
    expect(requests).toHaveBeenCalledTimes(1);
  });

  test('an answer that breaks off in the middle', async () => {
    const url = await oddServer((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"ids":["01J8"],', () => response.destroy());
    });
    const { send, requests } = senderFor(url);
    expect(await send([event(1)], patient)).toMatchObject({ kind: 'unavailable' });
    expect(requests).toHaveBeenCalledTimes(1);
  });
});

test('an answer that comes before the server has read the request counts', async () => {
  const url = await oddServer((_request, response) => {
    response.writeHead(413).end('too large');
  });
  const { send } = senderFor(url);
  const events = Array.from({ length: 20_000 }, (_, number) => event(number));
  expect(await send(events, patient)).toEqual({
    kind: 'refused',
    error: 'Inngest answered 413: too large',
    published: 0,
  });
});

describe('a call that hangs', () => {
  test('is given up when its time is over', async () => {
    const { send, requests } = await inngest('hang');
    expect(await send([event(1)], { timeoutMs: 20, signal: never })).toEqual({
      kind: 'unavailable',
      error: expect.stringContaining('timed out after 20 ms'),
    });
    expect(requests).toHaveBeenCalledTimes(1);
  });

  test('in the middle of its answer is given up, too', async () => {
    const url = await oddServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"ids":[');
    });
    const { send } = senderFor(url);
    expect(await send([event(1)], { timeoutMs: 20, signal: never })).toMatchObject({
      kind: 'unavailable',
      error: expect.stringContaining('timed out after 20 ms'),
    });
  });

  test('is given up when the relay gives up', async () => {
    const { server, send } = await inngest();
    const givingUp = new AbortController();
    server.answerWith(() => {
      givingUp.abort();
      return 'hang';
    });
    expect(await send([event(1)], { timeoutMs: 60_000, signal: givingUp.signal })).toMatchObject({
      kind: 'unavailable',
    });
  });

  test('is not begun when the relay has given up', async () => {
    const { server, send } = await inngest();
    expect(await send([event(1)], { timeoutMs: 60_000, signal: AbortSignal.abort() })).toMatchObject({
      kind: 'unavailable',
    });
    expect(server.events()).toEqual([]);
  });
});

describe('a Dev Server', () => {
  test.each(['1', 'true'])(
    'needs no key with INNGEST_DEV=%s, and is asked nothing but to take the events',
    async dev => {
      const server = await startInngest();
      onTestFinished(() => server.close());
      const { send, requests } = senderFor(server.url, { INNGEST_DEV: dev, INNGEST_EVENT_KEY: '' });
      expect(await send([event(1)], patient)).toEqual({ kind: 'accepted' });
      expect(requests).toHaveBeenCalledTimes(1);
    },
  );

  test('is found by its address in INNGEST_DEV', async () => {
    const server = await startInngest();
    onTestFinished(() => server.close());
    const { send, requests } = senderFor('', { INNGEST_DEV: server.url });
    expect(await send([event(1)], patient)).toEqual({ kind: 'accepted' });
    expect(requests).toHaveBeenCalledTimes(1);
  });
});

test('without a key there is an error and no request', async () => {
  const { send, requests } = await inngest(undefined, { INNGEST_EVENT_KEY: '' });
  expect(await send([event(1)], patient)).toEqual({
    kind: 'unavailable',
    error: expect.stringContaining('event key'),
  });
  expect(requests).not.toHaveBeenCalled();
});

test.each([0, 270, 285])(
  'the event key is not in the error, also when the server repeats the address behind %d characters',
  async before => {
    const url = await oddServer((request, response) => {
      response.writeHead(404).end(`${'x'.repeat(before)} Cannot ${request.method} ${request.url}`);
    });
    const { send } = senderFor(url);
    const answer = await send([event(1)], patient);
    expect(answer).toMatchObject({ kind: 'unavailable', error: expect.stringMatching(/404: x* ?Cannot/) });
    expect(JSON.stringify(answer)).not.toContain('a-s');
  },
);

test('of an answer without an end, a part is read, and the connection is closed', async () => {
  const closed = Promise.withResolvers<void>();
  const url = await oddServer((_request, response) => {
    response.writeHead(502);
    const write = () => {
      while (!response.destroyed && response.write('too much '.repeat(10_000)));
    };
    response.on('drain', write).on('close', closed.resolve);
    write();
  });
  const answer = await senderFor(url).send([event(1)], patient);
  expect(answer).toMatchObject({
    kind: 'unavailable',
    error: expect.stringContaining('502: too much too much'),
  });
  await closed.promise;
});
