import { violations } from '@segue/testing/chaos/model.ts';
import { useDatabase } from '@segue/testing/database.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { history } from './histories.testing.ts';
import { live } from './world.testing.ts';

/**
 * `npm test` lives through the same histories each time. `HISTORIES=500 SEED=7 npx vitest run apps/relay/chaos`
 * looks further.
 */
const { HISTORIES = '12', SEED = '1' } = process.env;
/** ms. A history takes one second, and to shrink one that fails takes some dozen more. */
const timeLimit = 60_000 + 5_000 * Number(HISTORIES);
const timeout = timeLimit + 30_000;
const parameters = { numRuns: Number(HISTORIES), seed: Number(SEED), interruptAfterTimeLimit: timeLimit };

const database = useDatabase();

test('whatever breaks, the rules R1 to R6 hold', { timeout }, async () => {
  await fc.assert(
    fc.asyncProperty(history({ stormy: true }), async told => {
      expect(violations(await live(database, told, { stormy: true }))).toEqual([]);
    }),
    parameters,
  );
});

test('when nothing breaks, every event is sent once and no indexed recording is sent', {
  timeout,
}, async () => {
  await fc.assert(
    fc.asyncProperty(history({ stormy: false }), async told => {
      const outcome = await live(database, told, { stormy: false });
      expect(violations(outcome)).toEqual([]);
      expect(new Set(outcome.events.map(({ id }) => id)).size).toBe(outcome.events.length);
    }),
    parameters,
  );
});
