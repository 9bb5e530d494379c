import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sql } from '@segue/database/connection.ts';
import type { Catalogue } from '@segue/stand-ins/tidal/catalogue.ts';
import type { Hands } from '../hands.ts';
import { type Random, randomStream } from '../random.ts';
import { indexedFromTheStart, isRefused } from '../workload.ts';
import { type ChaosDatabase, startDatabase } from './database.ts';
import { type KeptAlive, keepAlive, type Tally } from './processes.ts';
import { type Services, startServices } from './services.ts';
import { type Way, wayTo } from './ways.ts';

/** Short, so that slots come free soon after a kill, and longer than a batch takes on a busy machine. */
const leaseMs = 2_000;
const relayCount = 4;

/** The whole of Segue, as processes and stand-ins, and the hands that break it. */
export type System = {
  databaseUrl: string;
  /** For statements that may fail. */
  sql: Sql;
  database: ChaosDatabase;
  services: Services;
  relays: readonly KeptAlive[];
  api: KeptAlive;
  worker: KeptAlive;
  leaseMs: number;
  tally: Tally;
  hands: Hands;
  /** Where the API is; null while it is down. */
  apiAddress(): string | null;
  /** Notes what is due now, for the time that a recovery takes. */
  noteDue(): void;
  /** Forgets it: the ids of rows have begun anew. */
  forgetDue(): void;
  /** Lets the open connections to the database go silent, without a word: of the API, or of every other relay. */
  silenceDatabase(of: 'api' | 'relays'): void;
  /** Cuts one relay's way to Inngest for so long; the others reach it. */
  cutWayToInngest(ms: number): Promise<void>;
  /** Ends all faults, and arms no crash points from now on. */
  heal(): Promise<void>;
  /** Arms crash points again. */
  threaten(): void;
  /** Relays that have used more memory than they may, each in a sentence. */
  memoryProblems(): Promise<string[]>;
  end(): Promise<void>;
};

/** Whatever the rows are like (measured with rows of 300 KiB among them). */
const mostMemoryMb = 250;

const relayCrashPoints = [
  'before_renewal',
  'after_renewal',
  'before_hand_back',
  'after_read',
  'after_index_check',
  'after_send',
  'within_settlement',
];
const apiCrashPoints = ['before_commit', 'after_commit', 'before_hint'];

const workerCrashPoints = ['between_steps', 'before_upsert', 'after_upsert'];

/** A clock that is an hour off must change nothing. */
const clockOffsetsMs = [0, 3_600_000, -3_600_000];
const wrongClock = `--import=${new URL('wrongClock.ts', import.meta.url).href}`;

export async function startSystem({
  seed,
  catalogue,
  hands,
  noteDue,
  forgetDue,
}: { seed: number; catalogue: Catalogue } & Pick<
  System,
  'hands' | 'noteDue' | 'forgetDue'
>): Promise<System> {
  const tally: Tally = {
    kills: new Map(),
    cleanStops: 0,
    startsInVain: 0,
    pauses: new Map(),
    leasesLost: 0,
    highestMemoryMb: 0,
    problems: [],
  };
  const folder = await mkdtemp(join(tmpdir(), 'segue-chaos-'));
  const database = await startDatabase();
  const publishing = randomStream(seed, 'refusals');
  const services = await startServices({
    folder,
    catalogue,
    isRefused,
    publishesUpToTheBadOne: () => publishing.chance(0.5),
  });
  await services.index(indexedFromTheStart);

  const { environment } = services;
  // Every other relay goes by ways of its own, and sees a server that is away as a connection that closes.
  const toInngest = await wayTo(String(environment.INNGEST_BASE_URL));
  const toDatabase = { api: await wayTo(database.url), relays: await wayTo(database.url) };
  const ways: Way[] = [toInngest, toDatabase.api, toDatabase.relays];
  const relays = Array.from({ length: relayCount }, (_, number) => {
    const random = randomStream(seed, `relay ${number}`);
    return keepAlive({
      entry: 'apps/relay/main.ts',
      environment: () => ({
        ...environment,
        DATABASE_URL: number % 2 === 0 ? database.url : toDatabase.relays.url,
        ...(number === 1 && { INNGEST_BASE_URL: toInngest.url }),
        ...relaySettings(random),
      }),
      crashes: { points: relayCrashPoints, latestPass: 5 },
      random,
      tally,
    });
  });
  const apiClock = randomStream(seed, 'clock of the api');
  const api = keepAlive({
    entry: 'apps/api/main.ts',
    environment: () => ({
      ...environment,
      ...wrongClockOf(apiClock),
      DATABASE_URL: toDatabase.api.url,
      API_PORT: '0',
    }),
    crashes: { points: apiCrashPoints, latestPass: 30 },
    random: randomStream(seed, 'api'),
    tally,
  });
  const worker = keepAlive({
    entry: 'apps/worker/main.ts',
    environment: () => services.workerEnvironment,
    crashes: { points: workerCrashPoints, latestPass: 60 },
    random: randomStream(seed, 'worker'),
    tally,
  });
  const all = [...relays, api, worker];

  return {
    databaseUrl: database.url,
    sql: database.sql,
    database,
    services,
    relays,
    api,
    worker,
    leaseMs,
    tally,
    apiAddress: api.address,
    hands,
    noteDue,
    forgetDue,
    silenceDatabase: of => toDatabase[of].silence(),
    cutWayToInngest: toInngest.cutFor,
    async heal() {
      for (const process of all) process.threaten(false);
      services.tidal(null);
      await Promise.all([services.inngest(null), services.qdrant(null)]);
    },
    threaten() {
      for (const process of all) process.threaten(true);
    },
    async memoryProblems() {
      const peaks = await Promise.all(relays.map(relay => relay.peakMemoryMb()));
      tally.highestMemoryMb = Math.max(tally.highestMemoryMb, ...peaks);
      return peaks.flatMap((mb, number) =>
        mb > mostMemoryMb ? `relay ${number} has used ${mb} MB of memory` : [],
      );
    },
    async end() {
      await Promise.all(all.map(process => process.end()));
      await Promise.all(ways.map(way => way.close()));
      await services.stop();
      await database.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** As `npm run relay` starts it, as far as NODE_OPTIONS takes it. */
const relayMemory = '--max-semi-space-size=16 --max-old-space-size=512';

/** Batches so small that there are many of them. */
function relaySettings(random: Random): Record<string, string> {
  return {
    RELAY_PORT: '0',
    RELAY_LEASE_MS: String(leaseMs),
    RELAY_BATCH_SIZE: String(random.between(2, 20)),
    RELAY_CONCURRENCY: String(random.between(1, 3)),
    RELAY_MAX_ATTEMPTS: '3',
    RELAY_POLL_INTERVAL_MS: '500',
    ...wrongClockOf(random, relayMemory),
  };
}

function wrongClockOf(random: Random, nodeOptions = ''): Record<string, string> {
  return {
    NODE_OPTIONS: `${wrongClock} ${nodeOptions}`,
    CLOCK_OFFSET_MS: String(random.oneOf(clockOffsetsMs)),
  };
}
