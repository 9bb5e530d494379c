import { setTimeout as wait } from 'node:timers/promises';
import { connect } from '@segue/database/connection.ts';
import { pino } from 'pino';
import { Breaker } from '../breaker.ts';
import { createEventSender } from '../inngest/eventSender.ts';
import { createTrackIndex } from '../qdrant/trackIndex.ts';
import { Relay } from '../relay.ts';
import { Wake } from '../wake.ts';
import type { Mishap } from './histories.testing.ts';

export type FleetOptions = {
  databaseUrl: string;
  qdrantUrl: string;
  relays: number;
  batchSize: number;
  concurrency: number;
  leaseMs: number;
  indexTimeoutMs: number;
};

export type Fleet = {
  /** Forgets the mishaps of before, and lets these happen. */
  meet(mishaps: Mishap[]): void;
  stop(): Promise<void>;
};

const hourMs = 3_600_000;
/** Waits are short, so that a history of several outages is over within a second. */
const breakerWaits = { firstWaitMs: 5, longestWaitMs: 20 };
const pollIntervalMs = 20;

/**
 * Relays in this process, each as `main.ts` composes it, on a pool of its own. One that dies loses its
 * connections at that moment, whatever statements are under way on them, and another takes its place. What it
 * held stays held until its lease is over.
 */
export function startFleet(options: FleetOptions): Fleet {
  const relays: Relay[] = [];
  const pools: { end: (options: { timeout: number }) => Promise<void> }[] = [];
  let mishaps: Mishap[] = [];
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
      timeoutMs: options.indexTimeoutMs,
    });
    const sender = createEventSender();

    let dead = false;

    /** @throws when the relay is dead: it does nothing more */
    async function come(at: Mishap['at']): Promise<void> {
      const pass = (passes[at] ?? 0) + 1;
      passes[at] = pass;
      const what = mishaps.find(mishap => mishap.at === at && mishap.pass === pass)?.what;
      if (what === 'sleeps') await wait(options.leaseMs * 1.2);
      if (what === 'dies' && !dead) {
        dead = true;
        startRelay();
        await sql.end({ timeout: 0 });
      }
      if (dead) throw new Error('this relay is dead');
    }

    const relay = new Relay({
      sql,
      logger: pino({ level: 'silent' }),
      wake: new Wake({ pollIntervalMs }),
      index: {
        async checkTracksExist(isrcs) {
          await come('before asking the index');
          return await index.checkTracksExist(isrcs);
        },
      },
      indexBreaker: new Breaker(breakerWaits),
      async sender(events, limits) {
        try {
          await come('before sending');
          const answer = await sender(events, limits);
          await come('after sending');
          return answer;
        } catch (error) {
          return { kind: 'unavailable', error: String(error) };
        }
      },
      inngestBreaker: new Breaker(breakerWaits),
      sweepEveryMs: pollIntervalMs,
      batchSize: options.batchSize,
      concurrency: options.concurrency,
      leaseMs: options.leaseMs,
      maxAttempts: 3,
      dedupeWindowMs: 24 * hourMs,
    });
    relays.push(relay);
    relay.start();
  }

  for (let count = 0; count < options.relays; count++) startRelay();
  return {
    meet(next) {
      mishaps = next;
      passes = {};
    },
    async stop() {
      mishaps = [];
      await Promise.all(relays.map(relay => relay.stop()));
      await Promise.all(pools.map(pool => pool.end({ timeout: 1 })));
    },
  };
}
