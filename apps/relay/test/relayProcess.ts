import { eventually } from '@segue/testing/eventually.ts';
import { type RunningProcess, startProcess } from '@segue/testing/process.ts';
import { expect, onTestFinished } from 'vitest';
import { useSurroundings } from './surroundings.ts';

let isrcs = 0;

/** One that no other test of the file has. */
export const newIsrc = () => `PROCS${String(++isrcs).padStart(7, '0')}`;

/** An empty database, an index and an Inngest for each test of the file, and relays as processes of their own. */
export function useRelayProcesses() {
  const surroundings = useSurroundings();

  const environment = () => ({
    DATABASE_URL: surroundings.url,
    QDRANT_URL: surroundings.qdrant.url,
    INNGEST_BASE_URL: surroundings.inngest.url,
    INNGEST_EVENT_KEY: 'a-secret-event-key',
    RELAY_PORT: '0',
    RELAY_POLL_INTERVAL_MS: '50',
  });

  return Object.assign(surroundings, {
    /** Starts a relay that ends with the test at the latest, stopped or not. */
    async start(env: Record<string, string> = {}): Promise<RunningProcess> {
      const relay = await startProcess('apps/relay/main.ts', { ...environment(), ...env });
      onTestFinished(async () => {
        relay.kill('SIGKILL');
        await relay.exited;
      });
      return relay;
    },

    async add(rows: { isrc: string; title?: string; traceparent?: string }[]): Promise<void> {
      const whole = rows.map(row => ({
        title: 'So What',
        artist: 'Miles Davis',
        album: 'Kind of Blue',
        ...row,
      }));
      await surroundings.sql`INSERT INTO ingestion_outbox ${surroundings.sql(whole)}`;
    },

    /** Waits until nothing is open. @returns how many rows have each status */
    drained({ timeoutMs = 30_000 } = {}): Promise<Record<string, number>> {
      return eventually(
        async () => {
          const rows = await surroundings.sql<{ status: string; count: number; open: number }[]>`
            SELECT status, count(*)::int, count(*) FILTER (WHERE settled_at IS NULL)::int AS open
            FROM ingestion_outbox GROUP BY status`;
          expect(rows.filter(({ open }) => open > 0)).toEqual([]);
          return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
        },
        { timeoutMs },
      );
    },

    /** Each recording arrived under one id, the given generation, however often, and always with the same data. */
    expectOneEventEach(wanted: string[], generation = 1) {
      const byId = Map.groupBy(surroundings.requestedEvents(), ({ id }) => id);
      expect([...byId.keys()].sort()).toEqual(
        wanted.map(isrc => `track-ingestion:${isrc}:${generation}`).sort(),
      );
      for (const events of byId.values()) {
        expect(new Set(events.map(({ name, data, ts }) => JSON.stringify({ name, data, ts }))).size).toBe(1);
      }
    },
  });
}

/** Where a running relay can be asked. */
export async function addressOf(relay: RunningProcess): Promise<string> {
  const { address } = await relay.waitForLog(({ msg }) => msg === 'relay is running');
  return address as string;
}
