import { fileURLToPath } from 'node:url';
import { spawnKept } from '@segue/child-process/childProcess.ts';
import manifest from '../package.json' with { type: 'json' };

const repositoryRoot = fileURLToPath(new URL('..', import.meta.url));
const startWithinMs = 60_000;

/** What follows `exec node` in the script: the limits of the heap are part of what is measured. */
const relayArguments = manifest.scripts.relay.split(' ').slice(2);

export type RelaySettings = {
  /** Rows a claim; the relay's own default where it is missing. */
  batchSize?: number;
  /** Batches under way. */
  concurrency?: number;
};

export type RelayProcess = {
  pid: number;
  /** Where it serves `/readyz` and the console. */
  url: string;
  /** Rows that it has said to have settled, line by line, since it started. */
  settledRows(): number;
  /** Called at each further settled row. */
  onSettled: (() => void) | null;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
};

/**
 * Starts the relay as `npm run relay` does, at its usual log level: what it writes is part of its work. Its
 * lines are how a row's settlement is noticed without asking the database, which has other work.
 *
 * @throws Error with its last lines when it does not start
 */
export async function startRelay(
  databaseUrl: string,
  sinkUrl: string,
  { batchSize, concurrency }: RelaySettings = {},
): Promise<RelayProcess> {
  let settled = 0;
  const lastLines: string[] = [];
  const running = Promise.withResolvers<string>();
  const relay: { onSettled: (() => void) | null } = { onSettled: null };

  const kept = await spawnKept(process.execPath, relayArguments, {
    cwd: repositoryRoot,
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: databaseUrl,
      RELAY_PORT: '0',
      QDRANT_URL: sinkUrl,
      INNGEST_BASE_URL: sinkUrl,
      INNGEST_EVENT_KEY: 'bench',
      ...(batchSize && { RELAY_BATCH_SIZE: String(batchSize) }),
      ...(concurrency && { RELAY_CONCURRENCY: String(concurrency) }),
    },
    output(line) {
      // ingestion_scheduled and ingestion_skipped: one line a settled row.
      if (line.includes('"event":"ingestion_s')) {
        settled += 1;
        relay.onSettled?.();
        return;
      }
      lastLines.push(line);
      if (lastLines.length > 20) lastLines.shift();
      if (line.includes('relay is running')) running.resolve(JSON.parse(line).address);
    },
  });
  const problem = (what: string) => new Error(`the relay ${what}. Its last lines:\n${lastLines.join('\n')}`);
  kept.exited.then(() => running.reject(problem('ended')));
  const late = setTimeout(() => running.reject(problem('did not start in time')), startWithinMs);
  let url: string;
  try {
    url = await running.promise;
  } finally {
    clearTimeout(late);
  }
  return Object.assign(relay, {
    pid: kept.pid,
    url,
    settledRows: () => settled,
    async stop() {
      const { code, forced } = await kept.stop();
      if (forced || code !== 0) throw problem(`did not stop cleanly (exit code ${code})`);
    },
    async kill() {
      kept.kill('SIGKILL');
      await kept.exited;
    },
  });
}
