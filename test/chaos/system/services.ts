import { join } from 'node:path';
import { ingestionRequested } from '@segue/ingestion/event.ts';
import { hashIsrcToUuid } from '@segue/ingestion/pointId.ts';
import type { Fault, IncomingRequest } from '@segue/stand-ins/faults.ts';
import { startInngest } from '@segue/stand-ins/inngest/server.ts';
import { startQdrant } from '@segue/stand-ins/qdrant/server.ts';
import type { Catalogue } from '@segue/stand-ins/tidal/catalogue.ts';
import type { RateLimit } from '@segue/stand-ins/tidal/rateLimit.ts';
import { startTidal } from '@segue/stand-ins/tidal/server.ts';
import { ensureCollection } from '@segue/track-index/collection.ts';
import { connectToIndex } from '@segue/track-index/connect.ts';
import { scrollPointIds } from '@segue/track-index/scroll.ts';
import type { WorkerOutcome } from '../documents.ts';
import { isLost } from '../lostEvents.ts';
import type { AcceptedEvent } from '../model.ts';
import { refuseEvents } from '../refusals.ts';
import { lastingPort } from './ports.ts';

type Unreachable = 'refused connections';

export type Services = {
  environment: Record<string, string>;
  /** Of the worker. Its documents go into a collection that no relay asks, so that the model knows what a relay sees. */
  workerEnvironment: Record<string, string>;
  /** Lets a fault befall every call from now on; null ends it. */
  inngest(fault: Fault | Unreachable | null): Promise<void>;
  qdrant(fault: Fault | Unreachable | null): Promise<void>;
  /** Says what befalls each call; null ends all, a limit of the rate included. */
  tidal(answer: ((url: string) => Fault | undefined) | null): void;
  limitTidal(limit: RateLimit): void;
  /** Puts recordings into the index, which must be reachable. */
  index(isrcs: string[]): Promise<void>;
  indexUrl: string;
  /** Ids of the points in the index, which must be reachable. */
  indexedPoints(): Promise<string[]>;
  /** Takes everything out of the index that relays ask, as a lost disk would; it must be reachable. */
  wipeIndex(): Promise<void>;
  /** Recordings that the worker has put into its index, of the events that it got. */
  worked(): string[];
  /** When each request arrived first, in ms since 1970. */
  arrivals(): { title: string; at: number }[];
  /** What Inngest has accepted until now; it must be reachable. */
  events(): AcceptedEvent[];
  /** Runs of the worker that have not ended, while Inngest is reachable. */
  runsUnderWay(): number;
  /** What the worker has made of the events; Inngest and Qdrant must be reachable. */
  workerOutcome(): Promise<WorkerOutcome>;
  stop(): Promise<void>;
};

const documents = 'documents';

/** Some 30 s for 20 attempts: longer than any fault lasts. */
const retryDelayMs = (failures: number) => Math.min(2_000, 50 * 2 ** failures);

/** More events than any run makes. */
const capacity = 5_000_000;
const json = { 'content-type': 'application/json' };

export type ServicesOptions = {
  /** For what Inngest and Qdrant must remember while they cannot be reached. */
  folder: string;
  catalogue: Catalogue;
  isRefused: (isrc: string) => boolean;
  /** See `refuseEvents`. */
  publishesUpToTheBadOne: () => boolean;
};

/** Starts the stand-ins for TIDAL, Qdrant and Inngest, in this process. */
export async function startServices(options: ServicesOptions): Promise<Services> {
  const tidal = await startTidal({ catalogue: options.catalogue });
  let inngestFault: Fault | null = null;
  let qdrantFault: Fault | null = null;

  const inngest = await switchable(async port => {
    const file = join(options.folder, 'inngest');
    const server = await startInngest({ file, capacity, port, retryDelayMs });
    server.loseEvents(isLost);
    refuseEvents(server, { ...options, nextFault: () => inngestFault });
    return server;
  });
  const qdrant = await switchable(async port => {
    const server = await startQdrant({ file: join(options.folder, 'qdrant'), port });
    const isOpenToFaults = ({ method, url }: IncomingRequest) =>
      method === 'POST' || url.startsWith(`/collections/${documents}`);
    server.answerWith(request => (isOpenToFaults(request) ? (qdrantFault ?? undefined) : undefined));
    return server;
  });
  const tracksOf = connectToIndex({ url: qdrant.url, collection: 'tracks', timeoutMs: 10_000 });
  await ensureCollection(tracksOf);

  const eventsNamed = (name: string): AcceptedEvent[] =>
    inngest
      .server()
      .events()
      .filter(event => event.name === name);
  const runsOf = (functionId: string) =>
    inngest
      .server()
      .runs()
      .filter(run => run.functionId === functionId);
  const runs = () => runsOf('segue-worker-track-ingestion');
  const documentsOf = connectToIndex({ url: qdrant.url, collection: documents, timeoutMs: 10_000 });

  return {
    workerEnvironment: {
      QDRANT_URL: qdrant.url,
      QDRANT_COLLECTION: documents,
      INNGEST_BASE_URL: inngest.url,
      INNGEST_DEV: '1',
      WORKER_PORT: '0',
      WORKER_RETRIES: '20',
      WORKER_THROTTLE_PER_MINUTE: '0',
    },
    environment: {
      TIDAL_API_URL: tidal.apiUrl,
      TIDAL_AUTH_URL: tidal.authUrl,
      TIDAL_CLIENT_ID: tidal.clientId,
      TIDAL_CLIENT_SECRET: tidal.clientSecret,
      QDRANT_URL: qdrant.url,
      INNGEST_BASE_URL: inngest.url,
      INNGEST_DEV: '1',
    },
    async inngest(fault) {
      inngestFault = fault === null || fault === 'refused connections' ? null : fault;
      await inngest.reachable(fault !== 'refused connections');
    },
    async qdrant(fault) {
      qdrantFault = fault === null || fault === 'refused connections' ? null : fault;
      await qdrant.reachable(fault !== 'refused connections');
    },
    tidal(answer) {
      tidal.answerWith(answer && (({ url }) => answer(url)));
      tidal.limitRate(null);
    },
    limitTidal: tidal.limitRate,
    indexUrl: qdrant.url,
    indexedPoints: async () => (await Array.fromAsync(scrollPointIds(tracksOf))).flat(),
    async wipeIndex() {
      await fetch(`${qdrant.url}/collections/tracks`, { method: 'DELETE' });
      await ensureCollection(tracksOf);
    },
    worked: () =>
      runs()
        .filter(({ status }) => status === 'Completed')
        .map(({ event }) => String(event.data?.isrc)),
    arrivals: () =>
      inngest
        .server()
        .events()
        .toReversed()
        .map(({ data, receivedAt }) => ({ title: String(data?.title), at: receivedAt })),
    async index(isrcs) {
      const points = isrcs.map(isrc => ({ id: hashIsrcToUuid(isrc), vector: {}, payload: {} }));
      await put(`${qdrant.url}/collections/tracks/points?wait=true`, { points });
    },
    // The canaries that a relay sends after a refusal ask for no recording.
    events: () => eventsNamed(ingestionRequested),
    runsUnderWay: () => runs().filter(({ endedAt }) => endedAt === null).length,
    async workerOutcome() {
      return {
        requested: eventsNamed(ingestionRequested),
        runs: runs().map(({ id, event, status }) => {
          return { id, eventId: event.id, isrc: String(event.data?.isrc), status };
        }),
        points: (await Array.fromAsync(scrollPointIds(documentsOf))).flat(),
        completed: eventsNamed('track/ingestion.completed'),
        failed: eventsNamed('track/ingestion.failed'),
        untold: runsOf('segue-worker-track-ingestion-failure')
          .filter(({ status }) => status === 'Failed')
          .map(({ event }) => String(event.data?.run_id)),
      };
    },
    async stop() {
      await Promise.all([tidal.close(), inngest.reachable(false), qdrant.reachable(false)]);
    },
  };
}

/** A server that can be taken away and put back at the same address. Calls take effect one after another. */
async function switchable<Server extends { url: string; close(): Promise<void> }>(
  start: (port: number) => Promise<Server>,
) {
  const port = await lastingPort();
  let server = await start(port);
  const { url } = server;
  let up = true;
  let last: Promise<void> = Promise.resolve();

  async function turn(on: boolean): Promise<void> {
    if (on === up) return;
    if (on) server = await start(port);
    else await server.close();
    up = on;
  }
  return {
    url,
    server: () => server,
    reachable(on: boolean): Promise<void> {
      last = last.then(() => turn(on));
      return last;
    },
  };
}

async function put(url: string, body: object): Promise<void> {
  const response = await fetch(url, { method: 'PUT', headers: json, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`PUT ${url} was answered ${response.status}: ${await response.text()}`);
}
