import { setTimeout as wait } from 'node:timers/promises';
import { connect, type Sql } from '@segue/database/connection.ts';
import { onceAnswering, onFreshConnection } from '../system/database.ts';
import type { Fault, Subject } from './fault.ts';

/** An outage that passes by itself lasts so long. */
const outageMs = 1_500;
/** Longer than a process needs to leave a server that became read-only. */
const switchedMs = 6_000;

/** The session may have ended meanwhile; then nothing crashes this time. */
function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Each is undone before the next one comes: two at a time could leave the server as none of them would. */
function fault(name: string, suffer: (url: string, restart: () => Promise<void>) => Promise<void>): Fault {
  return {
    name,
    strike: ({ database }) => database.alone(() => suffer(database.url, () => database.restart())),
  };
}

export const database: Subject = {
  name: 'database',
  everyMs: [3_000, 8_000],
  faults: [
    fault('restart', (_url, restart) => restart()),

    // A session that dies by SIGKILL takes the server down: it restarts and recovers from its log.
    fault('crash', async url => {
      const victim = await onFreshConnection(url, aSession);
      if (victim !== undefined) killIfAlive(victim);
    }),

    fault('connections dropped', async url => {
      await onFreshConnection(
        url,
        fresh => fresh`
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
      );
    }),

    fault('connections exhausted', async url => {
      const hogs = Array.from({ length: 80 }, () => connect({ url, applicationName: 'hog', max: 1 }));
      await Promise.allSettled(hogs.map(hog => hog`SELECT 1`));
      await wait(outageMs);
      await Promise.all(hogs.map(hog => hog.end({ timeout: 0 })));
    }),

    // As after a failover to a standby that was not promoted.
    fault('read-only', async url => {
      await setReadOnly(url, 'on');
      await wait(outageMs);
      await setReadOnly(url, 'off');
    }),

    // As after a switchover: the open sessions are left at a server that is read-only, and new ones find the primary.
    fault('switchover', async url => {
      const name = decodeURIComponent(new URL(url).pathname.slice(1));
      await onceAnswering(url, async sql => {
        await sql`ALTER DATABASE ${sql(name)} SET default_transaction_read_only = off`;
      });
      await setReadOnly(url, 'on');
      await wait(switchedMs);
      await setReadOnly(url, 'off');
      await onceAnswering(url, async sql => {
        await sql`ALTER DATABASE ${sql(name)} RESET default_transaction_read_only`;
      });
    }),
  ],
};

/** The process id of somebody who is connected. */
async function aSession(sql: Sql): Promise<number | undefined> {
  const [session] = await sql<{ pid: number }[]>`
    SELECT pid FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY pid LIMIT 1`;
  return session?.pid;
}

/** Repeated: all connections of a process leave a server that has told one of them that it is read-only. */
async function setReadOnly(url: string, state: 'on' | 'off'): Promise<void> {
  await onceAnswering(url, async sql => {
    await sql.unsafe(`ALTER SYSTEM SET default_transaction_read_only = ${state}`);
    await sql`SELECT pg_reload_conf()`;
  });
}
