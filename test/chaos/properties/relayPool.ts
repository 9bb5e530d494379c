import { connect, type Sql } from '@segue/database/connection.ts';
import { pause } from '@segue/process/pause.ts';
import { Wake } from '@segue/relay/claiming/poller.ts';
import { Breaker } from '@segue/relay/guards/breaker.ts';
import { createEventSender } from '@segue/relay/inngest/eventSender.ts';
import { Relay } from '@segue/relay/relay.ts';
import { createTrackIndex } from '@segue/track-index/trackIndex.ts';
import { pino } from 'pino';
import type { Mishap } from './histories.ts';

export type FleetOptions = {
  databaseUrl: string;
  qdrantUrl: string;
  relays: number;
  batchSize: number;
  concurrency: number;
};

export type Fleet = {
  /** Wakes all relays at once, as the API does after a commit. */
  hint(): void;
  /** Forgets the mishaps of before, and lets these happen. */
  meet(mishaps: Mishap[]): void;
  /**
   * Ends the leases of relays that are dead or asleep, as time would. Nobody else's end: how busy the machine is
   * must not decide what a history tells.
   */
  endLeases(sql: Sql): Promise<void>;
  /** Whether a relay sleeps, or has woken and is still at what it had in hand. */
  hasSleepers(): boolean;
  wakeUp(): void;
  stop(): Promise<void>;
};

const hourMs = 3_600_000;
/** Waits are short, so that a history of several outages is over within a second. */
const breakerWaits = { firstWaitMs: 5, longestWaitMs: 20 };
const pollIntervalMs = 20;
const indexTimeoutMs = 2_000;
/** No lease ends by itself. */
const leaseMs = 60_000;
/** Nobody sleeps longer: all others may sleep or be gone, too. */
const longestSleepMs = 2_000;

/**
 * Relays in this process, each as `main.ts` composes it, on a pool of its own. One that dies loses its
 * connections at that moment, whatever statements are under way on them, and another takes its place. What it
 * held stays held until {@link Fleet.endLeases}.
 */
export function startFleet(options: FleetOptions): Fleet {
  const living = new Set<Relay>();
  const wakes: Wake[] = [];
  const pools: { end: (options: { timeout: number }) => Promise<void> }[] = [];
  let mishaps: Mishap[] = [];
  /** Leases of relays that have died or fallen asleep. */
  const abandoned = new Set<string>();
  /** There is nobody else to take a sleeper's rows over. */
  const isAlone = options.relays * options.concurrency === 1;
  /** Batches that have been slept over and are not settled yet. */
  let sleptOver = 0;
  let alarm = new AbortController();
  let passes: Record<string, number> = {};

  function startRelay(): void {
    const sql = connect({
      url: options.databaseUrl,
      applicationName: 'segue-relay',
      max: options.concurrency + 1,
    });
    pools.push(sql);
    const index = createTrackIndex({
      url: options.qdrantUrl,
      collection: 'tracks',
      timeoutMs: indexTimeoutMs,
    });
    const sender = createEventSender();
    const wake = new Wake({ pollIntervalMs });
    wakes.push(wake);

    const leases = new Set<string>();
    let dead = false;
    let ownSleptOver = 0;

    /** What the dead do takes for ever. */
    async function come(at: Mishap['at']): Promise<void> {
      const pass = (passes[at] ?? 0) + 1;
      passes[at] = pass;
      const what = mishaps.find(mishap => mishap.at === at && mishap.pass === pass)?.what;
      if (what !== undefined) for (const lease of leases) abandoned.add(lease);
      if (what === 'sleeps') {
        sleptOver += 1;
        ownSleptOver += 1;
        await pause(isAlone ? 0 : longestSleepMs, alarm.signal);
      }
      if (what === 'dies' && !dead) {
        dead = true;
        living.delete(relay);
        sleptOver -= ownSleptOver;
        startRelay();
        await sql.end({ timeout: 0 });
      }
      if (dead) await never;
    }

    const session = watched(sql, {
      isDead: () => dead,
      onClaim: lease => leases.add(lease),
      beforeTaking: () => come('before taking'),
    });
    const relay = new Relay({
      sessions: { claiming: session, settling: session },
      logger: pino({ level: 'silent' }),
      wake,
      index: {
        async checkTracksExist(isrcs) {
          await come('before asking the index');
          return await index.checkTracksExist(isrcs);
        },
      },
      indexBreaker: new Breaker(breakerWaits),
      async sender(events, limits) {
        await come('before sending');
        const answer = await sender(events, limits);
        await come('after sending');
        return answer;
      },
      inngestBreaker: new Breaker(breakerWaits),
      onSettled() {
        sleptOver -= Math.min(1, ownSleptOver);
        ownSleptOver -= Math.min(1, ownSleptOver);
      },
      sweepEveryMs: pollIntervalMs,
      batchSize: options.batchSize,
      concurrency: options.concurrency,
      leaseMs,
      maxAttempts: 3,
      dedupeWindowMs: 24 * hourMs,
    });
    living.add(relay);
    relay.start();
  }

  for (let count = 0; count < options.relays; count++) startRelay();
  return {
    hint() {
      for (const wake of wakes) wake.hint();
    },
    meet(next) {
      mishaps = next;
      passes = {};
    },
    async endLeases(sql) {
      if (abandoned.size === 0) return;
      await sql`
        UPDATE ingestion_outbox SET available_at = now() WHERE id IN (
          SELECT id FROM ingestion_outbox
          WHERE status = 'in_flight' AND lease = ANY(${[...abandoned]}::text[]::uuid[]) FOR UPDATE SKIP LOCKED)`;
    },
    hasSleepers: () => sleptOver > 0,
    wakeUp() {
      alarm.abort();
      alarm = new AbortController();
    },
    async stop() {
      mishaps = [];
      await Promise.all([...living].map(relay => relay.stop()));
      await Promise.all(pools.map(pool => pool.end({ timeout: 1 })));
    },
  };
}

const never = new Promise<never>(() => undefined);

type Watch = {
  isDead: () => boolean;
  /** Told of each claim's lease, before it is made. */
  onClaim: (lease: string) => void;
  /** Awaited before the statement by which a relay asks the ledger. */
  beforeTaking: () => Promise<void>;
};

function watched(sql: Sql, { isDead, onClaim, beforeTaking }: Watch): Sql {
  return new Proxy(sql, {
    apply(target, self, [text, ...values]) {
      if (isDead()) return never;
      const run = () => Reflect.apply(target, self, [text, ...values]);
      const statement = Array.isArray(text) && 'raw' in text ? text.join('') : '';
      if (statement.includes("SET status = 'in_flight'")) onClaim(values.find(isUuid) ?? '');
      return statement.includes('INSERT INTO ingestion_ledger') ? beforeTaking().then(run) : run();
    },
  });
}

function isUuid(value: unknown): value is string {
  return typeof value === 'string' && /^[\da-f]{8}-/.test(value);
}
