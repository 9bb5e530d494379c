import type { LogFields } from '@segue/ingestion/logEvents.ts';
import { startServices } from '@segue/process/services.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, onTestFinished, vi } from 'vitest';
import { composeRelay, type Parts } from '../compose.ts';
import { type Configuration, readConfiguration } from '../configuration.ts';
import { Breaker } from '../guards/breaker.ts';
import { collection, useSurroundings } from './surroundings.ts';

const hourMs = 3_600_000;

export type LoggedLine = Partial<LogFields> & { level: number; msg?: string; slots?: number };

/** A logger that keeps its lines, without what pino adds to each. */
export function loggerInMemory() {
  const lines: LoggedLine[] = [];
  const options = { level: 'debug', base: null, timestamp: false };
  return { logger: pino(options, { write: line => lines.push(JSON.parse(line)) }), lines };
}

/** What became of a row. */
export type Outcome = {
  isrc: string;
  status: string;
  reason: string | null;
  attempts: number;
  generation: number | null;
  last_error: string | null;
};

let isrcs = 0;

/** One that no other test of the file has. */
export const newIsrc = () => `RELAY${String(++isrcs).padStart(7, '0')}`;

/** An empty database, an index and an Inngest for each test of the file, and relays that work on them. */
export function useRelays() {
  const surroundings = useSurroundings();
  beforeEach(() => {
    vi.stubEnv('INNGEST_BASE_URL', surroundings.inngest.url);
    vi.stubEnv('INNGEST_EVENT_KEY', 'a-key');
    vi.stubEnv('INNGEST_DEV', '0');
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  return Object.assign(surroundings, {
    /** Starts a relay, put together as in production; it ends with the test at the latest. */
    async start(given: Partial<Configuration> = {}, parts: Partial<Parts> = {}) {
      const { logger, lines } = loggerInMemory();
      const configuration = readConfiguration({
        DATABASE_URL: surroundings.url,
        QDRANT_URL: surroundings.qdrant.url,
        QDRANT_COLLECTION: collection,
        INNGEST_EVENT_KEY: 'a-key',
        RELAY_PORT: '0',
        RELAY_POLL_INTERVAL_MS: '20',
        RELAY_BATCH_SIZE: '100',
        RELAY_CONCURRENCY: '2',
        RELAY_MAX_ATTEMPTS: '3',
      });
      const composition = await composeRelay({ ...configuration, ...given }, logger as unknown as Logger, {
        indexBreaker: new Breaker({ firstWaitMs: hourMs, longestWaitMs: hourMs }),
        inngestBreaker: new Breaker({ firstWaitMs: 20, longestWaitMs: 20 }),
        ...parts,
      });
      const stopServices = await startServices(composition.services);
      let stopped: Promise<void> | undefined;
      const stop = () => {
        stopped ??= stopServices();
        return stopped;
      };
      onTestFinished(stop);
      return { lines, stop, ...composition };
    },

    /** Makes requests as another service does it, all in one statement. */
    async request(...requests: Record<string, unknown>[]): Promise<void> {
      const rows = requests.map(request => ({
        isrc: newIsrc(),
        title: 'So What',
        artist: 'Miles Davis',
        album: 'Kind of Blue',
        artwork_url: null,
        priority: 0,
        force: false,
        created_at: new Date(),
        ...request,
      }));
      await surroundings.sql`INSERT INTO ingestion_outbox ${surroundings.sql(rows)}`;
    },

    /** Every row, in the order of the requests, once all are settled. */
    settled({ timeoutMs = 15_000 } = {}): Promise<Outcome[]> {
      return eventually(
        async () => {
          const rows = await surroundings.sql<(Outcome & { settled: boolean })[]>`
            SELECT isrc, status, reason, attempts, generation, last_error, settled_at IS NOT NULL AS settled
            FROM ingestion_outbox ORDER BY id`;
          expect(rows.filter(row => !row.settled)).toEqual([]);
          return rows.map(({ settled: _, ...row }) => row);
        },
        { timeoutMs },
      );
    },

    /** Lines about scheduling, in their order. */
    eventsOf: (lines: LoggedLine[]) => lines.filter(({ event }) => event !== undefined),

    /** Ids of all events that arrived, sorted. */
    sentIds: () =>
      surroundings
        .requestedEvents()
        .map(({ id }) => id)
        .sort(),
  });
}
