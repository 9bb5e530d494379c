import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { spawnKept } from '@segue/child-process/childProcess.ts';
import type { Trial } from './trial.ts';

const repositoryRoot = fileURLToPath(new URL('../../..', import.meta.url));
/** Some steps of 25 requests; the command waits while other requests are open. */
const longestMs = 60_000;

/** Rule R13: a library of before is requested by the command, which is killed in the middle and run again. */
export const backfill: Trial = {
  name: 'backfill that is killed in the middle',
  async hold({ on, additions, random, round }) {
    const user = `listener of round ${round}`;
    const items = Array.from({ length: random.between(60, 240) }, (_, number) => {
      const id = round * 1_000 + number;
      return { tidalId: `before ${id}`, title: `Before round ${round}, ${number}`, isrc: isrcOf(id) };
    });
    if (!(await additions.own(user, items))) return [];
    const requested = async () => {
      const [{ count }] = await on.sql<[{ count: number }]>`
        SELECT count(*)::int AS count FROM ingestion_outbox WHERE isrc = ANY(${items.map(({ isrc }) => isrc)})`;
      return count;
    };

    const first = await startCommand(on.databaseUrl, user);
    const start = performance.now();
    while ((await requested()) === 0 && performance.now() - start < longestMs) await wait(20);
    first.kill(random.chance(0.5) ? 'SIGKILL' : 'SIGINT');
    await first.exited;
    const second = await startCommand(on.databaseUrl, user);
    const overdue = setTimeout(() => second.kill('SIGKILL'), longestMs);
    const { code } = await second.exited;
    clearTimeout(overdue);
    const done = await requested();
    if (code === 0 && done === items.length) return [];
    return [
      `R13: ${done} of ${items.length} items of before are requested, and the command ended with ${code}: ` +
        second.lastLines().join('; '),
    ];
  },
};

const isrcOf = (id: number) => `QZBEF${String(id).padStart(7, '0')}`;

async function startCommand(databaseUrl: string, user: string) {
  const lines: string[] = [];
  const command = ['backfill', '--user', user, '--yes', '--reason', 'chaos', '--per-minute', '9999999'];
  const kept = await spawnKept(process.execPath, ['apps/cli/main.ts', ...command], {
    cwd: repositoryRoot,
    env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl },
    output: line => lines.push(line),
  });
  return { ...kept, lastLines: () => lines.slice(-5) };
}
