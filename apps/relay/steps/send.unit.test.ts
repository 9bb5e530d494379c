import type { IngestionEvent } from '@segue/ingestion/event.ts';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { Answer } from '../inngest/answer.ts';
import { type Canary, canaryName } from '../inngest/canary.ts';
import type { SendOptions } from '../inngest/eventSender.ts';
import { claimedRow, takenRow } from '../test/rows.ts';
import { eventOf, type SendDependencies, send } from './send.ts';

const never = new AbortController().signal;

/** What a batch meets on its way out; a sender that accepts all, unless another is given. */
function outside(given: Partial<SendDependencies> = {}) {
  const sender = vi.fn(
    async (_events: (IngestionEvent | Canary)[], _options: SendOptions): Promise<Answer> => ({
      kind: 'accepted',
    }),
  );
  const onFailedCall = vi.fn();
  const dependencies: SendDependencies = {
    sender,
    callTimeMs: () => 20_000,
    givingUp: never,
    onFailedCall,
    ...given,
  };
  return { dependencies, sender, onFailedCall };
}

const unavailable: Answer = { kind: 'unavailable', error: 'Inngest answered 503: later', retryAfterMs: 5 };

test('a row makes the event of the contract', () => {
  const row = takenRow({
    title: 'So What',
    artworkUrl: 'https://art/1',
    priority: 5,
    force: true,
    generation: 3,
    createdAt: '2026-11-23 12:00:00.123456+00',
  });
  expect(eventOf(row)).toEqual({
    id: `track-ingestion:${row.isrc}:3`,
    name: 'track/ingestion.requested',
    ts: Date.parse('2026-11-23T12:00:00.123Z'),
    data: {
      isrc: row.isrc,
      title: 'So What',
      artist: 'Miles Davis',
      album: 'Kind of Blue',
      artworkUrl: 'https://art/1',
      priority: 5,
      force: true,
    },
  });
});

test.each([null, ''])('without artwork (%j) the event has no such field', artworkUrl => {
  expect(eventOf(takenRow({ artworkUrl })).data).not.toHaveProperty('artworkUrl');
});

test('a moment is the same in every time zone that PostgreSQL may write it in', () => {
  const moments = ['2026-11-23 12:00:00+00', '2026-11-23 17:30:00+05:30', '2026-11-23 08:30:00-03:30'];
  for (const createdAt of moments) {
    expect(eventOf(takenRow({ createdAt })).ts).toBe(Date.parse('2026-11-23T12:00:00Z'));
  }
});

test('a batch is one call', async () => {
  const { dependencies, sender, onFailedCall } = outside();
  const rows = [takenRow(), takenRow()];
  expect(await send(rows, dependencies)).toEqual({ accepted: rows, refused: [], unsent: [] });
  expect(sender.mock.calls.map(([events]) => events)).toEqual([rows.map(eventOf)]);
  expect(onFailedCall).not.toHaveBeenCalled();
});

test('a row that makes no valid event is refused for good, and its batch-mates go out without it', async () => {
  const { dependencies, sender } = outside();
  const [first, blank, last] = [takenRow(), takenRow({ title: ' ' }), takenRow()];
  expect(await send([first, blank, last], dependencies)).toEqual({
    accepted: [first, last],
    refused: [{ row: blank, error: 'it makes no valid event: title: must not be empty', final: true }],
    unsent: [],
  });
  expect(sender.mock.calls[0]?.[0]).toEqual([first, last].map(eventOf));
});

test('a batch of nothing but such rows is no call', async () => {
  const { dependencies, sender } = outside();
  expect((await send([takenRow({ title: '' })], dependencies)).refused).toHaveLength(1);
  expect(sender).not.toHaveBeenCalled();
});

test('a row that Inngest refuses may be tried again, and each failed call is told once', async () => {
  const { dependencies, sender, onFailedCall } = outside();
  const [good, bad] = [takenRow(), takenRow()];
  sender.mockImplementation(async events =>
    events.some(event => 'isrc' in event.data && event.data.isrc === bad.isrc)
      ? { kind: 'refused', error: 'Inngest answered 400: bad', published: 0 }
      : { kind: 'accepted' },
  );
  expect(await send([good, bad], dependencies)).toEqual({
    accepted: [good],
    refused: [{ row: bad, error: 'Inngest answered 400: bad', final: false }],
    unsent: [],
  });
  expect(onFailedCall.mock.calls).toEqual([
    ['Inngest answered 400: bad', expect.any(Number)],
    ['Inngest answered 400: bad', expect.any(Number)],
  ]);
});

test('a refusal without a canary that passes is an outage: the row counts no attempt', async () => {
  const { dependencies, sender, onFailedCall } = outside();
  sender.mockResolvedValue({ kind: 'refused', error: 'Inngest answered 400: handler error', published: 0 });
  const row = takenRow();
  const error = 'Inngest answered 400: handler error (to segue/canary, too: it takes no event at all)';
  expect(await send([row], dependencies)).toEqual({
    accepted: [],
    refused: [],
    unsent: [row],
    outage: { kind: 'unavailable', error },
  });
  expect(sender.mock.calls.flatMap(([events]) => events.map(({ name }) => name))).toEqual([
    'track/ingestion.requested',
    canaryName,
  ]);
  expect(onFailedCall).toHaveBeenLastCalledWith(error, expect.any(Number));
});

test('no canary has the id of another', async () => {
  const ids = new Set<string>();
  for (let batch = 0; batch < 3; batch++) {
    const { dependencies, sender } = outside();
    sender.mockImplementation(async ([event]) => {
      if (event?.name !== canaryName) return { kind: 'refused', error: 'bad', published: 0 };
      ids.add(event.id);
      return { kind: 'accepted' };
    });
    await send([takenRow()], dependencies);
  }
  expect(ids.size).toBe(3);
});

test('an outage leaves everything unsent, and is handed on', async () => {
  const { dependencies, sender, onFailedCall } = outside();
  sender.mockResolvedValue(unavailable);
  const rows = [takenRow(), takenRow()];
  expect(await send(rows, dependencies)).toEqual({
    accepted: [],
    refused: [],
    unsent: rows,
    outage: unavailable,
  });
  expect(onFailedCall).toHaveBeenCalledTimes(1);
});

test('where there is no time for a call, none begins', async () => {
  const { dependencies, sender } = outside({ callTimeMs: () => 0 });
  const rows = [takenRow()];
  expect(await send(rows, dependencies)).toEqual({ accepted: [], refused: [], unsent: rows });
  expect(sender).not.toHaveBeenCalled();
});

test('nor does a further one, when that turns out between two', async () => {
  const callTimeMs = vi.fn().mockReturnValueOnce(20_000).mockReturnValue(0);
  const { dependencies, sender } = outside({ callTimeMs });
  sender.mockResolvedValue({ kind: 'refused', error: 'Inngest answered 400: bad', published: 0 });
  const rows = [takenRow(), takenRow()];
  expect(await send(rows, dependencies)).toEqual({ accepted: [], refused: [], unsent: rows });
  expect(sender).toHaveBeenCalledTimes(1);
});

test('a call may take as long as there is time for one, and never longer than 8 s', async () => {
  const timeouts: number[] = [];
  for (const left of [20_000, 300, 100]) {
    const { dependencies, sender } = outside({ callTimeMs: () => left });
    await send([takenRow()], dependencies);
    timeouts.push(sender.mock.calls[0]?.[1].timeoutMs as number);
  }
  expect(timeouts).toEqual([8_000, 300, 100]);
});

test('a call has never more than 5,000 events or 3 MiB, and no event is written to find out', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'é', '☃', '🎻', '"', '\u0001', '\\'), maxLength: 40 });
  const times = fc.integer({ min: 1, max: 20_000 });
  const row = fc
    .record({ title: fc.tuple(text, times), artist: text, album: text, artworkUrl: fc.option(text) })
    .map(({ title: [unit, times], ...rest }) => takenRow({ ...rest, title: `T${unit.repeat(times)}` }));

  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 8 }), async rows => {
      const { dependencies, sender } = outside();
      expect((await send(rows, dependencies)).accepted).toHaveLength(rows.length);
      for (const [events] of sender.mock.calls) {
        const bytes = Buffer.byteLength(JSON.stringify(events));
        expect(events.length === 1 || bytes <= 3 * 1024 * 1024).toBe(true);
      }
    }),
    { numRuns: 30 },
  );

  const { dependencies, sender } = outside();
  await send(
    Array.from({ length: 5_001 }, () => takenRow()),
    dependencies,
  );
  for (const [events] of sender.mock.calls) expect(events.length).toBeLessThanOrEqual(5_000);
});

test('a follower is not sent', async () => {
  const { dependencies, sender } = outside();
  await send([takenRow({ followers: [claimedRow()] })], dependencies);
  expect(sender.mock.calls[0]?.[0]).toHaveLength(1);
});
