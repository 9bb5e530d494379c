import { ingestionRequested } from '@segue/ingestion/event.ts';
import type { IncomingRequest } from '@segue/stand-ins/faults.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { describe, expect, test, vi } from 'vitest';
import { Breaker } from '../guards/breaker.ts';
import { canaryName } from '../inngest/canary.ts';
import { newIsrc, useRelays } from './relay.ts';

const here = useRelays();

const idOf = (isrc: string, generation = 1) => `track-ingestion:${isrc}:${generation}`;
const scheduled = { status: 'scheduled', reason: null, attempts: 0, generation: 1, last_error: null };
const some = (count: number) => Array.from({ length: count }, newIsrc);
const asRequests = (isrcs: string[]) => isrcs.map(isrc => ({ isrc }));

describe('R8: an event that Inngest refuses', () => {
  /** An Inngest that refuses these recordings, either way. */
  function refuse(isrcs: string[], { partial }: { partial: boolean }) {
    here.inngest.answerWith(request => {
      const events: { id: string; data: { isrc: string } }[] = JSON.parse(request.text());
      if (!events.some(({ data }) => isrcs.includes(data.isrc))) return undefined;
      const good = events.findIndex(({ data }) => isrcs.includes(data.isrc));
      const before = partial ? events.slice(0, good) : [];
      taken.push(...before.map(({ id }) => id));
      const ids = before.length === 0 ? [''] : before.map(({ id }) => `ULID of ${id}`);
      return { status: 400, body: { status: 400, ids, error: 'this one is not acceptable' } };
    });
  }
  /** What was published from refused calls, which the stand-in has not seen. */
  let taken: string[] = [];

  test.each([
    ['and publishes what stands before it', true],
    ['and publishes nothing of its call', false],
  ])('%s: it dies alone, after its attempts and with the reason', async (_, partial) => {
    taken = [];
    const isrcs = some(20);
    const bad = isrcs[7] as string;
    refuse([bad], { partial });
    await here.request(...asRequests(isrcs));
    const { lines, stop } = await here.start({ RELAY_MAX_ATTEMPTS: 3 });

    const rows = await here.settled();
    await stop();
    const reason = 'Inngest answered 400: this one is not acceptable';
    expect(rows).toMatchObject(
      isrcs.map(isrc =>
        isrc === bad
          ? { isrc, status: 'dead', reason, last_error: reason, attempts: 3, generation: null }
          : { isrc, ...scheduled },
      ),
    );
    const good = isrcs.filter(isrc => isrc !== bad).map(isrc => idOf(isrc));
    expect([...taken, ...here.sentIds()].sort()).toEqual(good);

    const errors = lines.filter(({ event }) => event === 'ingestion_error');
    expect(errors).toHaveLength(3);
    for (const line of errors) expect(line).toMatchObject({ level: 50, result: 'error', isrc: bad, reason });
  });

  test('several at once: each dies alone', async () => {
    taken = [];
    const isrcs = some(40);
    const bad = [0, 1, 20, 39].map(index => isrcs[index] as string);
    refuse(bad, { partial: true });
    await here.request(...asRequests(isrcs));
    await here.start({ RELAY_MAX_ATTEMPTS: 1 });
    const rows = await here.settled();
    expect(rows.filter(({ status }) => status === 'dead').map(({ isrc }) => isrc)).toEqual(bad);
    expect([...taken, ...here.sentIds()].sort()).toEqual(
      isrcs.filter(isrc => !bad.includes(isrc)).map(isrc => idOf(isrc)),
    );
  });

  test('dies, too, when it comes with another like it, and with nothing else', async () => {
    const isrcs = some(2);
    refuse(isrcs, { partial: false });
    await here.request(...asRequests(isrcs));
    await here.start();
    expect(await here.settled()).toMatchObject(isrcs.map(() => ({ status: 'dead', attempts: 3 })));
  });

  test('a later request for it is no duplicate, and is sent as the next generation', async () => {
    const isrc = newIsrc();
    refuse([isrc], { partial: false });
    await here.request({ isrc });
    await here.start({ RELAY_MAX_ATTEMPTS: 1 });
    expect(await here.settled()).toMatchObject([{ status: 'dead' }]);

    here.inngest.answerWith(null);
    await here.request({ isrc });
    expect(await here.settled()).toMatchObject([{ status: 'dead' }, { ...scheduled, generation: 2 }]);
    expect(here.sentIds()).toEqual([idOf(isrc, 2)]);
  });

  test('a request that waits for it is not dropped with it', async () => {
    const isrc = newIsrc();
    let refusals = 0;
    here.inngest.answerWith(() =>
      ++refusals <= 1 ? { status: 400, body: { status: 400, error: 'no' } } : undefined,
    );
    await here.request({ isrc }, { isrc });
    await here.start({ RELAY_MAX_ATTEMPTS: 1 });
    expect(await here.settled()).toMatchObject([{ status: 'dead' }, { ...scheduled, generation: 2 }]);
  });
});

describe('R8: an Inngest that refuses everything, since its own queue is away', () => {
  const handlerError = { status: 400, body: { ids: [''], status: 400, error: 'handler error' } };

  test('it is an outage: no row dies, none counts an attempt, and all is sent afterwards', async () => {
    let calls = 0;
    here.inngest.answerWith(() => {
      calls++;
      return handlerError;
    });
    const isrcs = some(300);
    await here.request(...asRequests(isrcs));
    const inngestBreaker = new Breaker({ firstWaitMs: 20, longestWaitMs: 20 });
    const { lines } = await here.start({ RELAY_MAX_ATTEMPTS: 1 }, { inngestBreaker });
    // Each probe is a call and a canary.
    await eventually(() => expect(calls).toBeGreaterThan(20));
    await eventually(() => expect(inngestBreaker.isHeldBack).toBe(true));
    const [rows] = await here.sql`
      SELECT count(*) FILTER (WHERE settled_at IS NOT NULL)::int AS settled, sum(attempts)::int AS attempts
      FROM ingestion_outbox`;
    expect(rows).toEqual({ settled: 0, attempts: 0 });
    expect(lines.filter(({ event }) => event === 'ingestion_error')).toEqual([]);

    here.inngest.answerWith(null);
    expect(await here.settled()).toMatchObject(isrcs.map(isrc => ({ isrc, ...scheduled })));
    expect(here.sentIds()).toEqual(isrcs.map(isrc => idOf(isrc)));
  });

  test('rows that are bad by themselves end all the same, when nothing else is left', async () => {
    const isrcs = some(30);
    here.inngest.answerWith(request => (isIngestion(request.text()) ? handlerError : undefined));
    await here.request(...asRequests(isrcs));
    await here.start({ RELAY_MAX_ATTEMPTS: 2 });
    expect(await here.settled({ timeoutMs: 25_000 })).toMatchObject(
      isrcs.map(() => ({ status: 'dead', attempts: 2 })),
    );
    // One after each row's last refusal at the latest, and far from one a row.
    const canaries = here.inngest.events().filter(({ name }) => name === canaryName);
    expect(canaries.length).toBeGreaterThan(1);
    expect(canaries.length).toBeLessThan(60);
    expect(new Set(canaries.map(({ id }) => id)).size).toBe(canaries.length);
  });

  const isIngestion = (body: string) => body.includes(ingestionRequested);
});

describe('R8: a proxy that resets requests that are too large for it', () => {
  const smallerThan = (bytes: number) => (request: IncomingRequest) =>
    request.text().length > bytes ? 'reset' : undefined;

  test('all rows are sent, and the breaker stays closed', async () => {
    here.inngest.answerWith(smallerThan(8_000));
    const isrcs = some(500);
    await here.request(...asRequests(isrcs));
    const inngestBreaker = new Breaker({ firstWaitMs: 20, longestWaitMs: 20 });
    const failed = vi.spyOn(inngestBreaker, 'failed');
    await here.start({}, { inngestBreaker });
    expect(await here.settled()).toMatchObject(isrcs.map(isrc => ({ isrc, ...scheduled })));
    expect(here.sentIds()).toEqual(isrcs.map(isrc => idOf(isrc)));
    expect(failed).not.toHaveBeenCalled();
  });

  test('and one row alone: it waits without an attempt, the others are sent, and it is sent once it fits', async () => {
    here.inngest.answerWith(smallerThan(8_000));
    const [large, ...others] = some(20) as [string, ...string[]];
    await here.request({ isrc: large, title: 'T'.repeat(9_000) }, ...asRequests(others));
    await here.start();
    await eventually(() => expect(here.sentIds()).toEqual(others.map(isrc => idOf(isrc))));
    await eventually(async () => {
      const open = await here.sql`
        SELECT isrc, status, attempts FROM ingestion_outbox WHERE settled_at IS NULL`;
      expect(open).toEqual([{ isrc: large, status: 'pending', attempts: 0 }]);
    });
    here.inngest.answerWith(null);
    expect(await here.settled()).toMatchObject([large, ...others].map(isrc => ({ isrc, ...scheduled })));
  });
});

test('a row that makes no valid event is dead at once, and holds up nobody', async () => {
  const [before, blank, after] = some(3) as [string, string, string];
  await here.request({ isrc: before }, { isrc: blank, title: ' \n' }, { isrc: after });
  const { lines, stop } = await here.start();
  const reason = 'it makes no valid event: title: must not be empty';
  expect(await here.settled()).toMatchObject([
    { isrc: before, ...scheduled },
    { isrc: blank, status: 'dead', reason, attempts: 1 },
    { isrc: after, ...scheduled },
  ]);
  await stop();
  expect(here.sentIds()).toEqual([idOf(before), idOf(after)]);
  expect(lines.filter(({ event }) => event === 'ingestion_error')).toMatchObject([{ isrc: blank, reason }]);
  // It was not Inngest that refused it.
  expect(lines.filter(({ event }) => event === 'inngest_error')).toEqual([]);
});
