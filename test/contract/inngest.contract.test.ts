import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventId, type IngestionEvent, ingestionRequested } from '@segue/ingestion/event.ts';
import type { Isrc } from '@segue/ingestion/isrc.ts';
import { type Canary, newCanary } from '@segue/relay/inngest/canary.ts';
import { createEventSender } from '@segue/relay/inngest/eventSender.ts';
import { startInngest } from '@segue/stand-ins/inngest/server.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { Inngest } from 'inngest';
import { serve } from 'inngest/node';
import { GenericContainer, Wait } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { addressOf, inngest } from '../containers/servers.ts';

type Started = { url: string; stop(): Promise<unknown> };

async function startStandIn(): Promise<Started> {
  const { url, close } = await startInngest();
  return { url, stop: close };
}

/** With an app whose one function listens to our events: the stand-in reports runs as if there were one. */
async function startReal(): Promise<Started> {
  const running = addressOf(inngest);
  const container = running
    ? undefined
    : await new GenericContainer(inngest.image)
        .withCommand(['inngest', 'dev', '--no-discovery'])
        .withExtraHosts([{ host: 'host.docker.internal', ipAddress: 'host-gateway' }])
        .withExposedPorts(8288)
        .withWaitStrategy(Wait.forHttp('/health', 8288))
        .start();
  const url = running ?? `http://${container?.getHost()}:${container?.getMappedPort(8288)}`;
  const app = await startApp(url, container ? 'host.docker.internal' : '127.0.0.1');
  return {
    url,
    async stop() {
      app.closeAllConnections();
      app.close();
      await container?.stop();
    },
  };
}

/** @param host under which the Dev Server reaches us */
async function startApp(baseUrl: string, host: string) {
  const client = new Inngest({ id: `contract-${randomUUID()}`, isDev: true, baseUrl });
  const run = client.createFunction(
    { id: 'ingest', triggers: [{ event: ingestionRequested }] },
    async () => 'done',
  );
  const server = createServer((request, response) => handler(request, response));
  // Any address of this machine: the container comes in over a bridge.
  await new Promise<void>(listening => server.listen(0, listening));
  const { port } = server.address() as AddressInfo;
  const handler = serve({ client, functions: [run], serveOrigin: `http://${host}:${port}` });
  const registration = await fetch(`http://127.0.0.1:${port}/api/inngest`, { method: 'PUT' });
  if (!registration.ok) throw new Error(`the Dev Server took no app: ${await registration.text()}`);
  return server;
}

const servers = [
  ['our stand-in', startStandIn, true],
  [inngest.image, startReal, inject('real').inngest],
] as const;

describe.each(servers.filter(([, , there]) => there))('%s', (_name, start) => {
  describe('keeps what the relay relies on', () => {
    let server: Started;
    beforeAll(async () => {
      server = await start();
      vi.stubEnv('INNGEST_DEV', '1');
      vi.stubEnv('INNGEST_BASE_URL', server.url);
    });
    afterAll(async () => {
      vi.unstubAllEnvs();
      await server.stop();
    });

    const limits = { timeoutMs: 10_000, signal: new AbortController().signal };
    const send = (...events: (IngestionEvent | Canary)[]) => createEventSender()(events, limits);
    async function post(body: unknown) {
      const response = await fetch(`${server.url}/e/any`, { method: 'POST', body: JSON.stringify(body) });
      return { status: response.status, ...((await response.json()) as { ids: string[]; error?: string }) };
    }
    async function get(path: string): Promise<Record<string, unknown>[]> {
      const response = await fetch(`${server.url}${path}`);
      expect(response.status).toBe(200);
      return ((await response.json()) as { data: Record<string, unknown>[] }).data;
    }
    /** What the server has stored under an id of ours, the newest first. */
    const stored = async (id: string) => (await get('/v1/events?limit=50')).filter(event => event.id === id);

    test('events arrive as they were sent, under our ids', async () => {
      const events = [newEvent({ artworkUrl: 'https://art/1' }), newEvent({ priority: -600, force: true })];
      expect(await send(...events)).toEqual({ kind: 'accepted' });
      for (const event of events) {
        await eventually(async () => expect(await stored(event.id)).toHaveLength(1));
        expect(await stored(event.id)).toMatchObject([event]);
      }
    });

    test('the ids that it gives are its own, one an event', async () => {
      const { status, ids } = await post([newEvent(), newEvent()]);
      expect(status).toBe(200);
      expect(ids).toHaveLength(2);
      for (const id of ids) expect(id).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    });

    test('a bad event ends the batch: those before it are in, those after it are not', async () => {
      const [before, after] = [newEvent(), newEvent()];
      const bad = { ...newEvent(), name: '' };
      expect(await send(before, bad as unknown as IngestionEvent, after)).toMatchObject({
        kind: 'refused',
        published: 1,
      });
      await eventually(async () => expect(await stored(before.id)).toHaveLength(1));
      const { ids } = await post(newEvent());
      await eventually(async () => {
        expect((await get('/v1/events?limit=50')).map(event => event.internal_id)).toContain(ids[0]);
      });
      expect(await stored(after.id)).toEqual([]);
    });

    test('a canary is taken and kept', async () => {
      const canary = newCanary();
      expect(await send(canary)).toEqual({ kind: 'accepted' });
      await eventually(async () => expect(await stored(canary.id)).toMatchObject([canary]));
    });

    test('it takes 5,000 events at once, and no more', async () => {
      const name = `contract/${randomUUID()}`;
      expect(await post(Array(5_000).fill({ name, data: {} }))).toMatchObject({ status: 200 });
      expect(await post(Array(5_001).fill({ name, data: {} }))).toMatchObject({ status: 400 });
    });

    test('an event of more than 3 MiB is refused', async () => {
      const event = newEvent({ title: 'x'.repeat(3 * 1024 * 1024) });
      expect(await send(event)).toMatchObject({ kind: 'refused', published: 0 });
    });

    test('a second event of the same id is taken, and starts no second run', async () => {
      const event = newEvent();
      const first = await post(event);
      await eventually(async () => expect(await runsOf(first.ids)).toBeGreaterThan(0), { timeoutMs: 45_000 });
      const second = await post(event);
      const later = await post(newEvent());
      expect(second.status).toBe(200);
      // What came after it has run, so it has had its chance.
      await eventually(async () => expect(await runsOf(later.ids)).toBeGreaterThan(0), { timeoutMs: 45_000 });
      expect(await runsOf(second.ids)).toBe(0);
    }, 120_000);

    const runsOf = async ([id]: string[]) => (await get(`/v1/events/${id}/runs`)).length;

    test('it says that it is well', async () => {
      expect((await fetch(`${server.url}/health`)).status).toBe(200);
    });
  });
});

let made = 0;
const session = randomUUID().slice(0, 5).toUpperCase();

/** One that no other test, and no run of the tests before, has sent. */
function newEvent(given: Partial<IngestionEvent['data']> = {}): IngestionEvent {
  const isrc = `${session}${String(++made).padStart(7, '0')}` as Isrc;
  const recording = { isrc, title: 'So What', artist: 'Miles Davis', album: 'Kind of Blue' };
  const data = { ...recording, priority: 0, force: false, ...given };
  return { id: eventId(isrc, 1), name: ingestionRequested, ts: Date.now(), data };
}
