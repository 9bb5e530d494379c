import type { IngestionEvent } from '@segue/ingestion/event.ts';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { Answer } from '../inngest/answer.ts';
import { type Canary, canaryName } from '../inngest/canary.ts';
import type { SendOptions } from '../inngest/eventSender.ts';
import { openRow, sendingOf } from '../test/rows.ts';
import type { Sending } from './decide.ts';
import { eventOf } from './event.ts';
import { type SendDependencies, send } from './send.ts';

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
    mayCall: () => true,
    givingUp: never,
    onFailedCall,
    ...given,
  };
  return { dependencies, sender, onFailedCall };
}

const unavailable: Answer = { kind: 'unavailable', error: 'Inngest answered 503: later', retryAfterMs: 5 };

const sending = (given: Parameters<typeof openRow>[0] = {}) => sendingOf(openRow(given));
const outcomesOf = (sendings: Sending[]) => sendings.map(({ outcome }) => outcome);
const eventsOf = (sendings: Sending[]) => sendings.map(({ lead, generation }) => eventOf(lead, generation));
const sent = { as: 'sent' };
const undecided = { as: 'undecided' };

test('a batch is one call', async () => {
  const { dependencies, sender, onFailedCall } = outside();
  const sendings = [sending(), sending()];
  expect(await send(sendings, dependencies)).toEqual({ outOfCalls: false, answered: true });
  expect(outcomesOf(sendings)).toEqual([sent, sent]);
  expect(sender.mock.calls.map(([events]) => events)).toEqual([eventsOf(sendings)]);
  expect(onFailedCall).not.toHaveBeenCalled();
});

test('what another step has decided is not sent, and stays as it is', async () => {
  const { dependencies, sender } = outside();
  const [indexed, wanted] = [sending(), sending()];
  indexed.outcome = { as: 'indexed' };
  await send([indexed, wanted], dependencies);
  expect(outcomesOf([indexed, wanted])).toEqual([{ as: 'indexed' }, sent]);
  expect(sender.mock.calls.map(([events]) => events)).toEqual([eventsOf([wanted])]);
});

test('a refused event is noted as refused, and each failed call is told once', async () => {
  const { dependencies, sender, onFailedCall } = outside();
  const [good, bad] = [sending(), sending()];
  sender.mockImplementation(async events =>
    events.some(event => 'isrc' in event.data && event.data.isrc === bad.isrc)
      ? { kind: 'refused', error: 'Inngest answered 400: bad', published: 0 }
      : { kind: 'accepted' },
  );
  expect(await send([good, bad], dependencies)).toMatchObject({ answered: true });
  expect(outcomesOf([good, bad])).toEqual([sent, { as: 'refused', error: 'Inngest answered 400: bad' }]);
  expect(onFailedCall.mock.calls).toEqual([
    ['Inngest answered 400: bad', expect.any(Number)],
    ['Inngest answered 400: bad', expect.any(Number)],
  ]);
});

test('what was refused before goes last, so that it cannot use up the calls of what is new', async () => {
  const { dependencies, sender } = outside();
  const [oldest, older, newer] = [sending({ attempts: 2 }), sending({ attempts: 1 }), sending()];
  await send([oldest, older, newer], dependencies);
  expect(sender.mock.calls.map(([events]) => events)).toEqual([eventsOf([newer, older, oldest])]);
  expect(outcomesOf([oldest, older, newer])).toEqual([sent, sent, sent]);
});

test('the refusal of a large event names its bytes', async () => {
  const { dependencies, sender } = outside();
  const large = sending({ title: 'x'.repeat(300_000), bytes: 300_020 });
  sender.mockImplementation(async ([event]) =>
    event?.name === canaryName
      ? { kind: 'accepted' }
      : { kind: 'refused', error: 'Inngest answered 413: too large', published: 0 },
  );
  await send([large], dependencies);
  expect(large.outcome).toMatchObject({
    as: 'refused',
    error: expect.stringMatching(/too large \(the event has 300\d{3} bytes\)$/),
  });
});

test('a refusal without a canary that passes is an outage: nothing is decided', async () => {
  const { dependencies, sender, onFailedCall } = outside();
  sender.mockResolvedValue({ kind: 'refused', error: 'Inngest answered 400: handler error', published: 0 });
  const sendings = [sending()];
  const error = 'Inngest answered 400: handler error (to segue/canary, too: it takes no event at all)';
  expect(await send(sendings, dependencies)).toEqual({
    outage: { kind: 'unavailable', error },
    outOfCalls: false,
    answered: false,
  });
  expect(outcomesOf(sendings)).toEqual([undecided]);
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
    await send([sending()], dependencies);
  }
  expect(ids.size).toBe(3);
});

test('an outage leaves everything undecided, and is handed on', async () => {
  const { dependencies, sender, onFailedCall } = outside();
  sender.mockResolvedValue(unavailable);
  const sendings = [sending(), sending()];
  expect(await send(sendings, dependencies)).toEqual({
    outage: unavailable,
    outOfCalls: false,
    answered: false,
  });
  expect(outcomesOf(sendings)).toEqual([undecided, undecided]);
  expect(onFailedCall).toHaveBeenCalledTimes(1);
});

test('where no call may begin, none begins', async () => {
  const { dependencies, sender } = outside({ mayCall: () => false });
  const sendings = [sending()];
  await send(sendings, dependencies);
  expect(outcomesOf(sendings)).toEqual([undecided]);
  expect(sender).not.toHaveBeenCalled();
});

test('nor does a further one, when that turns out between two', async () => {
  const mayCall = vi.fn().mockReturnValueOnce(true).mockReturnValue(false);
  const { dependencies, sender } = outside({ mayCall });
  sender.mockResolvedValue({ kind: 'refused', error: 'Inngest answered 400: bad', published: 0 });
  const sendings = [sending(), sending()];
  await send(sendings, dependencies);
  expect(outcomesOf(sendings)).toEqual([undecided, undecided]);
  expect(sender).toHaveBeenCalledTimes(1);
});

test('a call may take 8 s', async () => {
  const { dependencies, sender } = outside();
  await send([sending()], dependencies);
  expect(sender.mock.calls[0]?.[1].timeoutMs).toBe(8_000);
});

test('a call has never more than 5,000 events or 3 MiB, and no event is written to find out', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'é', '☃', '🎻', '"', '\u0001', '\\'), maxLength: 40 });
  const times = fc.integer({ min: 1, max: 20_000 });
  const row = fc
    .record({ title: fc.tuple(text, times), artist: text, album: text, artworkUrl: fc.option(text) })
    .map(({ title: [unit, times], ...rest }) => {
      const title = `T${unit.repeat(times)}`;
      const bytes = Buffer.byteLength(title + rest.artist + rest.album + (rest.artworkUrl ?? ''));
      return sending({ ...rest, title, bytes });
    });

  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 8 }), async sendings => {
      const { dependencies, sender } = outside();
      await send(sendings, dependencies);
      expect(sender.mock.calls.flatMap(([events]) => events)).toHaveLength(sendings.length);
      for (const [events] of sender.mock.calls) {
        const bytes = Buffer.byteLength(JSON.stringify(events));
        expect(events.length === 1 || bytes <= 3 * 1024 * 1024).toBe(true);
      }
    }),
    { numRuns: 30 },
  );

  const { dependencies, sender } = outside();
  await send(
    Array.from({ length: 5_001 }, () => sending()),
    dependencies,
  );
  for (const [events] of sender.mock.calls) expect(events.length).toBeLessThanOrEqual(5_000);
});
