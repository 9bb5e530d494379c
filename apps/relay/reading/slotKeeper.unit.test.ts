import type { Sql } from '@segue/database/connection.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { SlotKeeper } from './slotKeeper.ts';

const holding = { owned: [{ slot: 1, epoch: 7 }], share: 32, handedBack: 0, nextEndMs: null };

/** A keeper whose heartbeats are answered by `answer`, and the lines that it logs. */
function keeperOf(
  answer: () => Promise<unknown[]>,
  { makesProgress }: { makesProgress: () => boolean } = { makesProgress: () => true },
) {
  const lines: { event?: string }[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const keeper = new SlotKeeper({
    sql: (() => answer()) as unknown as Sql,
    leaseMs: 40,
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
