import { type InngestStandIn, startInngest } from '@segue/stand-ins/inngest/server.ts';
import { type QdrantStandIn, startQdrant } from '@segue/stand-ins/qdrant/server.ts';
import { startTidal, type TidalStandIn } from '@segue/stand-ins/tidal/server.ts';
import { createTestDatabase, type TestDatabase } from '@segue/testing/database.ts';
import { type RunningProcess, startProcess } from '@segue/testing/process.ts';
import { type Breakable, breakable } from '@segue/testing/proxy.ts';
import { ensureCollection } from '@segue/track-index/collection.ts';
import { connectToIndex } from '@segue/track-index/connect.ts';
import { onTestFinished } from 'vitest';

export type ProcessName = 'api' | 'relay' | 'worker';

/** A database that can be cut off, an Inngest, a Qdrant and a TIDAL, and processes that work with them. */
export type Surroundings = {
  database: TestDatabase;
  /** Between the processes and the database. */
  line: Breakable;
  inngest: InngestStandIn;
  qdrant: QdrantStandIn;
  tidal: TidalStandIn;
  /** Starts one, and waits until it is ready to work. It ends with the test at the latest. */
  start(
    name: ProcessName,
    env?: Record<string, string>,
  ): Promise<{ process: RunningProcess; address: string }>;
};

/** Starts them all for one test. */
export async function startSurroundings(): Promise<Surroundings> {
  const database = await createTestDatabase();
  const [line, inngest, qdrant, tidal] = await Promise.all([
    breakable(database.url),
    startInngest({ retryDelayMs: () => 50 }),
    startQdrant(),
    startTidal(),
  ]);
  onTestFinished(async () => {
    await Promise.all([line.cut(), inngest.close(), qdrant.close(), tidal.close()]);
    await database.drop();
  });
  await ensureCollection(connectToIndex({ url: qdrant.url, collection: 'tracks', timeoutMs: 10_000 }));

  const sending = {
    QDRANT_URL: qdrant.url,
    INNGEST_BASE_URL: inngest.url,
    INNGEST_EVENT_KEY: 'a-secret-event-key',
  };
  const environments: Record<ProcessName, Record<string, string>> = {
    api: {
      DATABASE_URL: line.url,
      API_PORT: '0',
      TIDAL_API_URL: tidal.apiUrl,
      TIDAL_AUTH_URL: tidal.authUrl,
      TIDAL_CLIENT_ID: tidal.clientId,
      TIDAL_CLIENT_SECRET: tidal.clientSecret,
    },
    relay: { DATABASE_URL: line.url, RELAY_PORT: '0', RELAY_POLL_INTERVAL_MS: '50', ...sending },
    worker: { WORKER_PORT: '0', WORKER_THROTTLE_PER_MINUTE: '0', INNGEST_DEV: '1', ...sending },
  };

  return {
    database,
    line,
    inngest,
    qdrant,
    tidal,
    async start(name, env = {}) {
      const process = await startProcess(`apps/${name}/main.ts`, { ...environments[name], ...env });
      onTestFinished(async () => {
        process.kill('SIGKILL');
        await process.exited;
      });
      const { address } = await process.waitForLog(({ event }) => event === 'process_started', 60_000);
      return { process, address: String(address) };
    },
  };
}

/** Adds a track by the API. @returns its ISRC */
export async function addTrack(api: string, tidalTrackId: string): Promise<Response> {
  const query = `mutation { addTrackToLibrary(input: {tidalTrackId: "${tidalTrackId}"}) { __typename } }`;
  return await fetch(`${api}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
}
