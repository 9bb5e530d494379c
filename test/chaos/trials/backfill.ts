import { isrcOf, ofTrials } from '../workload.ts';
import { runTwice } from './command.ts';
import type { Trial } from './trial.ts';

/** Rule R13: a library of before is requested by the command, which is killed in the middle and run again. */
export const backfill: Trial = {
  name: 'backfill that is killed in the middle',
  async hold({ on, additions, random, round }) {
    const user = `listener of round ${round}`;
    const items = Array.from({ length: random.between(60, 240) }, (_, number) => {
      const id = round * 1_000 + number;
      return {
        tidalId: `before ${id}`,
        title: `Before round ${round}, ${number}`,
        isrc: isrcOf(ofTrials.backfill, id),
      };
    });
    if (!(await additions.own(user, items))) return [];
    const requested = async () => {
      const [{ count }] = await on.sql<[{ count: number }]>`
        SELECT count(*)::int AS count FROM ingestion_outbox WHERE isrc = ANY(${items.map(({ isrc }) => isrc)})`;
      return count;
    };

    const { code, lastLines } = await runTwice({
      command: ['backfill', '--user', user],
      environment: { DATABASE_URL: on.databaseUrl },
      random,
      requested,
      // Some steps of 10 requests.
      longestMs: 60_000,
    });
    const done = await requested();
    if (code === 0 && done === items.length) return [];
    return [
      `R13: ${done} of ${items.length} items of before are requested, and the command ended with ${code}: ${lastLines.join('; ')}`,
    ];
  },
};
