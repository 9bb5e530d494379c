import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sql } from '@segue/database/connection.ts';
import type { Catalogue } from '@segue/stand-ins/tidal/catalogue.ts';
import { startDatabase } from './database.ts';
import type { Blow } from './faultSchedule.ts';
import { type KeptAlive, keepAlive, type Tally } from './processes.ts';
import { type Random, randomStream } from './random.ts';
import { type Services, startServices } from './services.ts';
import { indexedFromTheStart, isRefused } from './workload.ts';

/** Short, so that slots come free soon after a kill, and longer than a batch takes on a busy machine. */
export const leaseMs = 2_000;
export const relayCount = 4;

/** The whole of Segue, as processes and stand-ins, and the hands that break it. */
export type System = {
  databaseUrl: string;
  /** For statements that may fail. */
  sql: Sql;
  services: Services;
  /** Where the API is; null while it is down. */
  apiAddress(): string | null;
  tally: Tally;
  /** Resolves when what it does is over; at once for what lasts until the next blow of its kind. */
  strike(blow: Blow): Promise<void>;
  /** Ends all faults, and arms no crash points from now on. */
  heal(): Promise<void>;
  /** Arms crash points again. */
  threaten(): void;
  end(): Promise<void>;
};

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
}: {
  seed: number;
  catalogue: Catalogue;
}): Promise<System> {
  const tally: Tally = {
    kills: new Map(),
    cleanStops: 0,
    startsInVain: 0,
    pauses: 0,
    leasesLost: 0,
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

  const environment = { DATABASE_URL: database.url, ...services.environment };
  const relays = Array.from({ length: relayCount }, (_, number) => {
    const random = randomStream(seed, `relay ${number}`);
    return keepAlive({
      entry: 'apps/relay/main.ts',
      environment: () => ({ ...environment, ...relaySettings(random) }),
      crashes: { points: relayCrashPoints, latestPass: 5 },
      random,
      tally,
    });
  });
  const api = keepAlive({
    entry: 'apps/api/main.ts',
    environment: () => ({ ...environment, API_PORT: '0' }),
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
    services,
    apiAddress: api.address,
    tally,
    async strike(blow) {
      const relay = 'relay' in blow ? (relays[blow.relay] as KeptAlive) : api;
      switch (blow.what) {
        case 'kill relay':
        case 'kill api':
          return relay.kill();
        case 'stop relay':
        case 'stop api':
          return relay.stopCleanly();
        case 'kill worker':
          return worker.kill();
        case 'stop worker':
          return worker.stopCleanly();
        case 'pause relay':
          return await relay.pause(blow.forMs);
        case 'inngest':
          return await services.inngest(blow.fault);
        case 'qdrant':
          return await services.qdrant(blow.fault);
        case 'tidal':
          return services.tidal(blow.fault);
        case 'database':
          return await database.suffer(blow.fault);
      }
    },
    async heal() {
      for (const process of all) process.threaten(false);
      services.tidal(null);
      await Promise.all([services.inngest(null), services.qdrant(null)]);
    },
    threaten() {
      for (const process of all) process.threaten(true);
    },
    async end() {
      await Promise.all(all.map(process => process.end()));
      await services.stop();
      await database.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Batches so small that there are many of them. */
function relaySettings(random: Random): Record<string, string> {
  return {
    RELAY_PORT: '0',
    RELAY_LEASE_MS: String(leaseMs),
    RELAY_BATCH_SIZE: String(random.between(2, 20)),
    RELAY_CONCURRENCY: String(random.between(1, 3)),
    RELAY_MAX_ATTEMPTS: '3',
    RELAY_POLL_INTERVAL_MS: '500',
    NODE_OPTIONS: wrongClock,
    CLOCK_OFFSET_MS: String(random.oneOf(clockOffsetsMs)),
  };
}
