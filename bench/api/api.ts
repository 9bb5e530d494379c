import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Scheduling } from './scheduling.ts';

/** What the process says when it is ready. */
export type ApiAnswer = { url: string };

export type Api = {
  /** Where GraphQL is. */
  url: string;
  stop(): Promise<void>;
};

/**
 * Starts an API. It ends with us at the latest.
 *
 * @throws Error when it ends before it is ready
 */
export async function startApi(databaseUrl: string, sinkUrl: string, scheduling: Scheduling): Promise<Api> {
  const child = fork(new URL('process.ts', import.meta.url), {
    // As `npm run api` starts it.
    execArgv: ['--max-semi-space-size=16'],
    // Its log goes into a pipe that is read, as in production.
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: databaseUrl,
      SINK_URL: sinkUrl,
      SCHEDULING: scheduling,
      INNGEST_BASE_URL: sinkUrl,
      INNGEST_EVENT_KEY: 'bench',
    },
  });
  child.stdout?.resume();
  const exited = once(child, 'exit');
  const ended = exited.then(([code]) => {
    throw new Error(`the API ended with exit code ${code}`);
  });
  ended.catch(() => undefined);
  const [{ url }] = (await Promise.race([once(child, 'message'), ended])) as [ApiAnswer];
  return {
    url,
    async stop() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}
