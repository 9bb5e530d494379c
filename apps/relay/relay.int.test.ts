import type { Fault } from '@segue/stand-ins/faults.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { describe, expect, test } from 'vitest';
import { Breaker } from './guards/breaker.ts';
import { createEventSender, type EventSender } from './inngest/eventSender.ts';
import { newIsrc, useRelays } from './test/relay.ts';

const here = useRelays();

const idOf = (isrc: string, generation = 1) => `track-ingestion:${isrc}:${generation}`;
const scheduled = { status: 'scheduled', reason: null, attempts: 0, generation: 1, last_error: null };
const duplicate = { status: 'skipped', reason: 'duplicate' };
const indexed = { status: 'skipped', reason: 'already_indexed' };
const some = (count: number) => Array.from({ length: count }, newIsrc);
const asRequests = (isrcs: string[]) => isrcs.map(isrc => ({ isrc }));

test('every request becomes one event, with the data of the contract', async () => {
  const [plain, whole] = [newIsrc(), newIsrc()];
  await here.request(
    { isrc: plain },
    { isrc: whole, title: 'Blue in Green', artwork_url: 'https://art/1', priority: 5, force: true },
  );
  await here.start();
  expect(await here.settled()).toMatchObject([
    { isrc: plain, ...scheduled },
    { isrc: whole, ...scheduled },
  ]);
  const recording = { artist: 'Miles Davis', album: 'Kind of Blue' };
  expect(here.inngest.events()).toMatchObject([
    {
      id: idOf(plain),
      name: 'track/ingestion.requested',
      data: { ...recording, isrc: plain, title: 'So What', priority: 0, force: false },
    },
    {
      id: idOf(whole),
      name: 'track/ingestion.requested',
      data: {
        ...recording,
        isrc: whole,
        title: 'Blue in Green',
        artworkUrl: 'https://art/1',
        priority: 5,
        force: true,
      },
    },
  ]);
  expect(here.inngest.events()[0]?.data).not.toHaveProperty('artworkUrl');
});

test('an event is dated by its request, on the clock of the database', async () => {
  await here.request({ created_at: new Date('2026-02-03T04:05:06.789Z') });
  await here.start();
  await here.settled();
  expect(here.inngest.events()[0]?.ts).toBe(Date.parse('2026-02-03T04:05:06.789Z'));
});

test('thousands of requests go out in batches, each once', async () => {
  await here.sql`
    INSERT INTO ingestion_outbox (isrc, title, artist, album)
    SELECT 'MANY' || lpad(n::text, 8, '0'), 'Title', 'Artist', 'Album' FROM generate_series(1, 3000) AS n`;
  await here.start({ RELAY_BATCH_SIZE: 250 });
  const rows = await here.settled();
  expect(here.sentIds()).toEqual(rows.map(({ isrc }) => idOf(isrc)));
});

describe('R4: recordings in the index', () => {
  test('are not scheduled, and the reason is already_indexed', async () => {
    const [here1, missing, here2] = some(3) as [string, string, string];
    await here.qdrant.add(here1, here2);
    await here.request(...asRequests([here1, missing, here2]));
    const { lines } = await here.start();

    expect(await here.settled()).toMatchObject([
      { isrc: here1, ...indexed },
      { isrc: missing, ...scheduled },
      { isrc: here2, ...indexed },
    ]);
    expect(here.sentIds()).toEqual([idOf(missing)]);
    const skipped = lines.filter(({ event }) => event === 'ingestion_skipped');
    expect(skipped.map(({ isrc, reason }) => [isrc, reason]).sort()).toEqual([
      [here1, 'already_indexed'],
      [here2, 'already_indexed'],
    ]);
  });

  test('are asked for in one call a batch', async () => {
    let calls = 0;
    here.qdrant.answerWith(({ method }) => {
      // The other is a look at the collection's shape.
      if (method === 'POST') calls++;
      return undefined;
    });
    await here.request(...asRequests(some(50)));
    const { stop } = await here.start({ RELAY_CONCURRENCY: 1 });
    await here.settled();
    await stop();
    expect(calls).toBe(1);
  });

  test('move the generation on: once it is gone from the index, the recording is sent as the next one', async () => {
    const isrc = newIsrc();
    await here.qdrant.add(isrc);
    await here.request({ isrc });
    const { stop } = await here.start();
    await here.settled();
    await stop();
    here.qdrant.answerWith(() => ({ status: 200, body: { result: [], status: 'ok', time: 0 } }));
    await here.request({ isrc });
    await here.start();

    expect(await here.settled()).toMatchObject([indexed, { ...scheduled, generation: 2 }]);
    expect(here.sentIds()).toEqual([idOf(isrc, 2)]);
  });

  test('are sent all the same when that is forced', async () => {
    const isrc = newIsrc();
    await here.qdrant.add(isrc);
    await here.request({ isrc, force: true });
    await here.start();
    expect(await here.settled()).toMatchObject([scheduled]);
  });
});

describe('R5: recordings that were sent', () => {
  test('are duplicates for the next request', async () => {
    const isrc = newIsrc();
    await here.request({ isrc });
    await here.start();
    await here.settled();
    await here.request({ isrc }, { isrc });

    expect(await here.settled()).toMatchObject([scheduled, duplicate, duplicate]);
    expect(here.sentIds()).toEqual([idOf(isrc)]);
  });

  test('are sent once, whatever the spelling and however often they are in one batch', async () => {
    const isrc = newIsrc();
    const spellings = [
      isrc.toLowerCase(),
      `${isrc.slice(0, 2)}-${isrc.slice(2, 5)}-${isrc.slice(5)}`,
      ` ${isrc} `,
    ];
    await here.request(...asRequests(spellings));
    await here.start();
    expect(await here.settled()).toMatchObject([scheduled, duplicate, duplicate]);
    expect(here.sentIds()).toEqual([idOf(isrc)]);
  });

  test('are sent once by two relays that find the requests at the same moment', async () => {
    const isrcs = some(40);
    await here.request(...asRequests([...isrcs, ...isrcs, ...isrcs, ...isrcs]));
    await here.start({ RELAY_BATCH_SIZE: 7, RELAY_CONCURRENCY: 3 });
    await here.start({ RELAY_BATCH_SIZE: 11, RELAY_CONCURRENCY: 3 });

    const rows = await here.settled();
    expect(here.sentIds()).toEqual(isrcs.map(isrc => idOf(isrc)).sort());
    const counts = Map.groupBy(rows, ({ status, reason }) => `${status} ${reason}`);
    expect(counts.get('scheduled null')).toHaveLength(40);
    expect(counts.get('skipped duplicate')).toHaveLength(120);
  });

  test('are sent anew when that is forced, as the next generation', async () => {
    const isrc = newIsrc();
    await here.request({ isrc }, { isrc, force: true }, { isrc });
    await here.start();
    const rows = await here.settled();
    expect(rows).toMatchObject([scheduled, { ...scheduled, generation: 2 }, duplicate]);
    expect(here.sentIds()).toEqual([idOf(isrc, 1), idOf(isrc, 2)]);
  });

  test('are sent anew for a forced request under an id of its own, when what was sent before is not known to have arrived', async () => {
    const isrc = newIsrc();
    let calls = 0;
    here.inngest.answerWith(async () => {
      if (++calls > 1) return undefined;
      await here.request({ isrc, force: true });
      return 'lose-answer';
    });
    await here.request({ isrc });
    await here.start();
    expect(await here.settled()).toMatchObject([scheduled, { ...scheduled, generation: 2 }]);
    const sent = here.inngest.events().map(({ id, data }) => [id, data?.force]);
    expect(sent.filter(([id]) => id === idOf(isrc, 1)).every(([, force]) => force === false)).toBe(true);
    expect(sent.filter(([id]) => id === idOf(isrc, 2))).toEqual([[idOf(isrc, 2), true]]);
  });

  test('a plain request goes before a forced one that stands before it, in whatever batches they are read', async () => {
    const isrc = newIsrc();
    await here.request({ isrc, force: true }, { isrc, force: true }, { isrc });
    await here.start({ RELAY_BATCH_SIZE: 1 });
    const forced = { ...scheduled, generation: 2 };
    expect(await here.settled()).toMatchObject([forced, forced, scheduled]);
    const sent = here.inngest.events().map(({ id, data }) => [id, data?.force]);
    expect(sent.toSorted()).toEqual([
      [idOf(isrc, 1), false],
      [idOf(isrc, 2), true],
    ]);
  });

  test('forced requests that are open together are answered by one event, however many there are', async () => {
    const isrc = newIsrc();
    await here.sql`
      INSERT INTO ingestion_outbox (isrc, title, artist, album, force)
      SELECT ${isrc}, 'Title ' || n, 'Artist', 'Album', true FROM generate_series(1, 500) AS n`;
    await here.start({ RELAY_BATCH_SIZE: 20 });
    const rows = await here.settled();
    expect(new Set(rows.map(({ status, generation }) => `${status} ${generation}`))).toEqual(
      new Set(['scheduled 1']),
    );
    expect(here.sentIds()).toEqual([idOf(isrc)]);
    await here.request({ isrc, force: true });
    await here.settled();
    expect(here.sentIds()).toEqual([idOf(isrc), idOf(isrc, 2)]);
  });

  test('are sent anew after the window, as the next generation', async () => {
    const isrc = newIsrc();
    await here.request({ isrc });
    await here.start();
    await here.settled();
    await here.sql`UPDATE ingestion_ledger SET sent_at = sent_at - interval '25 hours'`;
    await here.request({ isrc });
    expect(await here.settled()).toMatchObject([scheduled, { ...scheduled, generation: 2 }]);
    expect(here.sentIds()).toEqual([idOf(isrc, 1), idOf(isrc, 2)]);
  });

  test('a window of no length makes every request a new one', async () => {
    const isrc = newIsrc();
    await here.request({ isrc });
    await here.start({ RELAY_DEDUPE_WINDOW_HOURS: 0 });
    await here.settled();
    await here.request({ isrc });
    expect(await here.settled()).toMatchObject([scheduled, { ...scheduled, generation: 2 }]);
  });
});

describe('R7: an index that cannot be asked', () => {
  test.each<[string, Fault]>([
    ['fails', { status: 500, body: 'no' }],
    ['is closed to us', { status: 401, body: 'Invalid API key or JWT' }],
    ['resets the connection', 'reset'],
  ])('%s: everything is sent, and every batch says so in one line', async (_, fault) => {
    const isrcs = some(6);
    await here.qdrant.add(...isrcs);
    let calls = 0;
    here.qdrant.answerWith(() => {
      calls++;
      return fault;
    });
    await here.request(...asRequests(isrcs));
    const { lines, stop } = await here.start({ RELAY_BATCH_SIZE: 2, RELAY_CONCURRENCY: 1 });
    expect(await here.settled()).toMatchObject(isrcs.map(isrc => ({ isrc, ...scheduled })));
    await stop();

    const errors = lines.filter(({ event }) => event === 'qdrant_error');
    expect(errors).toHaveLength(3);
    for (const line of errors)
      expect(line).toMatchObject({ level: 50, result: 'error', error: expect.any(String) });
    // Only the first batch waited for it.
    expect(calls).toBe(1);
  });

  test('is asked again once its breaker lets a probe through', async () => {
    const isrc = newIsrc();
    await here.qdrant.add(isrc);
    here.qdrant.answerWith(() => ({ status: 503 }));
    await here.request({});
    const indexBreaker = new Breaker({ firstWaitMs: 1, longestWaitMs: 1 });
    await here.start({}, { indexBreaker });
    await here.settled();
    here.qdrant.answerWith(null);
    await eventually(() => expect(indexBreaker.state).toBe('probing'));
    await here.request({ isrc });
    expect(await here.settled()).toMatchObject([scheduled, indexed]);
    expect(indexBreaker.state).toBe('closed');
  });
});

describe('several relays', () => {
  test('share the slots, and each takes over what another hands back', async () => {
    const one = await here.start();
    await eventually(() => expect(one.keeper.count).toBe(32));
    const other = await here.start();
    await eventually(() => expect([one.keeper.count, other.keeper.count]).toEqual([16, 16]));
    await one.stop();
    await eventually(() => expect(other.keeper.count).toBe(32));
  });

  test('one that cannot send leaves its slots to one that can, and has its share again when it can', async () => {
    let isAway = true;
    const send = createEventSender();
    const sender: EventSender = async (events, options) =>
      isAway ? { kind: 'unavailable', error: 'away' } : send(events, options);
    const one = await here.start({ RELAY_LEASE_MS: 400 }, { sender });
    const other = await here.start({ RELAY_LEASE_MS: 400 });
    const isrcs = some(60);
    await here.request(...asRequests(isrcs));
    expect(await here.settled()).toMatchObject(isrcs.map(isrc => ({ isrc, ...scheduled })));
    await eventually(() => expect([one.keeper.count, other.keeper.count]).toEqual([0, 32]));

    isAway = false;
    await eventually(() => expect([one.keeper.count, other.keeper.count]).toEqual([16, 16]));
  });
});

test('a request goes out while thousands before it are refused one by one', async () => {
  here.inngest.answerWith(request =>
    request.text().includes('BAD') ? { status: 400, body: 'bad' } : undefined,
  );
  await here.sql`
    INSERT INTO ingestion_outbox (isrc, title, artist, album)
    SELECT 'BADAD' || lpad(n::text, 7, '0'), 'Title', 'Artist', 'Album' FROM generate_series(1, 5000) AS n`;
  const { lines } = await here.start({ RELAY_BATCH_SIZE: 1_000 });
  await eventually(() => expect(lines.some(({ event }) => event === 'ingestion_error')).toBe(true));
  const isrc = newIsrc();
  await here.request({ isrc });
  await eventually(async () => {
    const [row] = await here.sql`SELECT status FROM ingestion_outbox WHERE isrc = ${isrc}`;
    expect(row).toEqual({ status: 'scheduled' });
  });
  const [{ open }] = await here.sql<[{ open: number }]>`
    SELECT count(*)::int AS open FROM ingestion_outbox WHERE attempts = 0 AND settled_at IS NULL`;
  expect(open).toBeGreaterThan(1_000);
});
