import type { Sql } from '@segue/database/connection.ts';
import { notifySlots } from '@segue/outbox/hint.ts';
import { pause } from '@segue/process/pause.ts';
import { startServices } from '@segue/process/services.ts';
import { type Composition, composeRelay } from '@segue/relay/compose.ts';
import { readConfiguration } from '@segue/relay/configuration.ts';
import { Breaker } from '@segue/relay/guards/breaker.ts';
import { createEventSender } from '@segue/relay/inngest/eventSender.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
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

/** Waits are short, so that a history of several outages is over within a second. */
const breakerWaits = { firstWaitMs: 5, longestWaitMs: 20 };
/** No lease ends by itself. */
const leaseMs = 60_000;
/** Nobody sleeps longer: all others may sleep or be gone, too. */
const longestSleepMs = 2_000;

type Living = Composition & { stop: () => Promise<void>; hint: () => void };

/**
 * Relays in this process, each as production composes it. One that dies loses its sessions, and another takes its place.
 * What it owned stays its own until {@link Fleet.endLeases}.
 */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const living = new Set<Living>();
  let mishaps: Mishap[] = [];
  /** Relays that have died or fallen asleep. */
  const abandoned = new Set<string>();
  const dying: Promise<unknown>[] = [];
  /** There is nobody else to take a sleeper's slots over. */
  const isAlone = options.relays === 1;
  /** Batches that have been slept over and are not settled yet. */
  let sleptOver = 0;
  let alarm = new AbortController();
  let passes: Record<string, number> = {};

  async function startRelay(): Promise<void> {
    let dead = false;
    let ownSleptOver = 0;
    let self: Living | undefined;

    /** What the dead do takes for ever. */
    async function come(at: Mishap['at']): Promise<void> {
      if (dead) await never;
      // Nothing befalls a relay that has not started yet.
      if (!self) return;
      const pass = (passes[at] ?? 0) + 1;
      passes[at] = pass;
      const what = mishaps.find(mishap => mishap.at === at && mishap.pass === pass)?.what;
      if (what !== undefined) abandoned.add(self.keeper.id);
      if (what === 'sleeps') {
        sleptOver += 1;
        ownSleptOver += 1;
        await pause(isAlone ? 0 : longestSleepMs, alarm.signal);
        abandoned.delete(self.keeper.id);
      }
      if (what === 'dies' && !dead) {
        dead = true;
        sleptOver -= ownSleptOver;
        living.delete(self);
        dying.push(die(self));
        dying.push(startRelay());
      }
      if (dead) await never;
    }

    const configuration = readConfiguration({
      DATABASE_URL: options.databaseUrl,
      QDRANT_URL: options.qdrantUrl,
      INNGEST_DEV: '1',
      RELAY_PORT: '0',
      RELAY_BATCH_SIZE: String(options.batchSize),
      RELAY_CONCURRENCY: String(options.concurrency),
      RELAY_LEASE_MS: String(leaseMs),
      RELAY_MAX_ATTEMPTS: '3',
      RELAY_POLL_INTERVAL_MS: '20',
    });
    const index = createTrackIndex({ url: options.qdrantUrl, collection: 'tracks', timeoutMs: 2_000 });
    const sender = createEventSender();
    const composition = await composeRelay(configuration, pino({ level: 'silent' }) as unknown as Logger, {
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
      onBatch() {
        sleptOver -= Math.min(1, ownSleptOver);
        ownSleptOver -= Math.min(1, ownSleptOver);
      },
      // Only rows ask the index here: the confirmation would use up their mishaps.
      confirmEveryMs: 3_600_000,
    });
    // Who sleeps hears nothing, and renews nothing.
    const { keeper } = composition;
    const hear = keeper.hint.bind(keeper);
    keeper.hint = () => {
      if (!abandoned.has(keeper.id)) hear();
    };
    self = { ...composition, stop: await startServices(composition.services), hint: () => hear() };
    living.add(self);
  }

  for (let count = 0; count < options.relays; count++) await startRelay();
  return {
    hint() {
      for (const { poller } of living) poller.hint();
    },
    meet(next) {
      mishaps = next;
      passes = {};
    },
    async endLeases(sql) {
      if (abandoned.size === 0) return;
      const [{ count }] = await sql<[{ count: number }]>`
        WITH ended AS (
          UPDATE relay_slots SET lease_end = now() WHERE owner = ANY(${[...abandoned]}::text[]::uuid[]) RETURNING slot
        ),
        gone AS (
          UPDATE relays SET last_heartbeat = '-infinity' WHERE id = ANY(${[...abandoned]}::text[]::uuid[])
        )
        SELECT count(*)::int FROM ended`;
      if (count > 0) await notifySlots(sql, 'time');
    },
    hasSleepers: () => sleptOver > 0,
    wakeUp() {
      alarm.abort();
      alarm = new AbortController();
    },
    async stop() {
      mishaps = [];
      alarm.abort();
      await Promise.all(dying);
      await Promise.all([...living].map(relay => relay.stop()));
    },
  };
}

/** Its sessions end, with whatever they are at; then nothing of it can be stopped cleanly any more. */
async function die({ services, keeper }: Living): Promise<void> {
  const sessions = services.filter(({ name }) => name.endsWith('sessions'));
  await Promise.all(sessions.map(service => service.stop()));
  // What is in hand of the relay never ends.
  const others = services.filter(({ name }) => name !== 'relay' && !sessions.some(one => one.name === name));
  for (const service of services) if (service.name === 'relay') void service.stop();
  await Promise.all([keeper.stop(), ...others.map(service => service.stop())]);
}

const never = new Promise<never>(() => undefined);
