import { useDatabase } from '@segue/testing/database.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { violations } from '../model.ts';
import { history, refusedRecording } from './histories.ts';
import { live } from './simulation.ts';

/**
 * `npm test` lives through the same histories each time. `HISTORIES=500 SEED=7 npx vitest run test/chaos/properties`
 * looks further.
 */
const { HISTORIES = '5', SEED = '1' } = process.env;
/** ms. A history takes two seconds, ten on a busy machine, and to shrink one that fails takes some dozen more. */
const timeLimit = 90_000 + 20_000 * Number(HISTORIES);
const timeout = timeLimit + 30_000;
const parameters = { numRuns: Number(HISTORIES), seed: Number(SEED), interruptAfterTimeLimit: timeLimit };

const database = useDatabase();

test('whatever breaks, the rules R1 to R6 hold', { timeout }, async () => {
  await fc.assert(
    fc.asyncProperty(history({ stormy: true }), async told => {
      expect(violations(await live(database, told))).toEqual([]);
    }),
    parameters,
  );
});

test('when nothing breaks, every event is sent once and no indexed recording is sent', {
  timeout,
}, async () => {
  await fc.assert(
    fc.asyncProperty(history({ stormy: false }), async told => {
      const outcome = await live(database, told);
      expect(violations(outcome)).toEqual([]);
      expect(new Set(outcome.events.map(({ id }) => id)).size).toBe(outcome.events.length);
      const sent = outcome.events.map(({ data }) => data?.title);
      expect(outcome.unneeded.filter(title => sent.includes(title))).toEqual([]);
    }),
    parameters,
  );
});

describe('what was found that way', () => {
  const twoRelays = { relays: 2, batchSize: 1, concurrency: 1 };
  const calm = {
    newDay: false,
    indexed: [],
    inngest: [],
    qdrant: [],
    mishaps: [],
    publishesUpToTheBadOne: false,
  };
  const track = (recording: number, force = false) => ({ by: 'track' as const, wish: { recording, force } });

  test('a relay that sleeps before it asks the index does not bring a dead request back to life', async () => {
    const outcome = await live(database, {
      ...twoRelays,
      chapters: [
        // It sleeps over the third attempt, which is the last one: another relay makes that in its place.
        {
          ...calm,
          additions: [track(refusedRecording)],
          mishaps: [{ at: 'before asking the index', pass: 3, what: 'sleeps' }],
        },
        { ...calm, additions: [track(refusedRecording)] },
      ],
    });
    expect(violations(outcome)).toEqual([]);
    expect(outcome.rows.map(({ status }) => status)).toEqual(['dead', 'dead']);
  });

  test('nor does it send what another has sent under a generation of its own', async () => {
    const outcome = await live(database, {
      ...twoRelays,
      chapters: [
        {
          ...calm,
          // While it sleeps over the second, the other relay sends all three.
          additions: [track(0), track(1, true), track(1, true)],
          mishaps: [{ at: 'before asking the index', pass: 2, what: 'sleeps' }],
        },
      ],
    });
    expect(violations(outcome)).toEqual([]);
    // The forced requests that were open together are answered by one event.
    expect(outcome.events).toHaveLength(2);
  });
});
