import type { Sql } from '@segue/database/connection.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { pino } from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { SlotKeeper } from './slotKeeper.ts';

const holding = { owned: [{ slot: 1, epoch: 7 }], share: 32, handedBack: 0, nextEndMs: null };

/** A keeper whose heartbeats are answered by `answer`, and the lines that it logs. */
function keeperOf(
  answer: () => Promise<unknown[]>,
  { makesProgress = () => true, leaseMs = 40 }: { makesProgress?: () => boolean; leaseMs?: number } = {},
) {
  const lines: { event?: string }[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const keeper = new SlotKeeper({
    sql: (() => answer()) as unknown as Sql,
    leaseMs,
    logger: logger as unknown as Logger,
    canSend: () => true,
    makesProgress,
    isInHand: () => false,
    onTaken: () => undefined,
  });
  return { keeper, lines };
}

test('a stop does not wait for a database that has gone silent', async () => {
  let isSilent = false;
  const { keeper } = keeperOf(() => (isSilent ? new Promise(() => undefined) : Promise.resolve([holding])));
  keeper.start();
  await eventually(() => expect(keeper.count).toBe(1));
  isSilent = true;
  await keeper.stop();
});

test('a relay in which nothing ends leaves its slots to their lease, says so once, and goes on when something ends', async () => {
  let beats = 0;
  let asked = 0;
  let makesProgress = true;
  const { keeper, lines } = keeperOf(
    () => {
      beats++;
      return Promise.resolve([holding]);
    },
    {
      makesProgress() {
        asked++;
        return makesProgress;
      },
    },
  );
  onTestFinished(() => keeper.stop());
  keeper.start();
  await eventually(() => expect(beats).toBeGreaterThan(2));

  makesProgress = false;
  const askedBefore = asked;
  await eventually(() => expect(asked).toBeGreaterThan(askedBefore + 1));
  const beatsThen = beats;
  await eventually(() => expect(asked).toBeGreaterThan(askedBefore + 5));
  expect(beats).toBe(beatsThen);
  await eventually(() => expect([...keeper.slots()]).toEqual([]));
  expect(lines.filter(({ event }) => event === 'relay_stalled')).toHaveLength(1);

  makesProgress = true;
  await eventually(() => expect([...keeper.slots()]).toEqual([[1, 7]]));
});

test('no call begins in the last quarter of a lease, and nothing is read after its end', async () => {
  let isSilent = false;
  const now = performance.now.bind(performance);
  let ahead = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + ahead);
  onTestFinished(() => clock.mockRestore());
  const { keeper } = keeperOf(() => (isSilent ? new Promise(() => undefined) : Promise.resolve([holding])), {
    leaseMs: 1_000_000,
  });
  onTestFinished(() => keeper.stop());
  expect(keeper.mayCall).toBe(false);
  keeper.start();
  await eventually(() => expect(keeper.count).toBe(1));
  isSilent = true;

  ahead = 740_000;
  expect(keeper.mayCall).toBe(true);
  ahead = 760_000;
  expect(keeper.mayCall).toBe(false);
  expect([...keeper.slots()]).toEqual([[1, 7]]);
  ahead = 1_010_000;
  expect([...keeper.slots()]).toEqual([]);
  isSilent = false;
});
