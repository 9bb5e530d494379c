import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Sql } from '@segue/database/connection.ts';
import { sayAlive, sayStopped } from '@segue/outbox/heartbeat.ts';
import { pause } from '@segue/process/pause.ts';
import type { Breaker } from '../guards/breaker.ts';

/** Operators are told that there is no relay when none has been heard of for 30 s. */
const everyMs = 5_000;

/**
 * Says in `relays`, every 5 s, that this relay is there and whether it can send: for `outbox status` and the console.
 * Nothing depends on it, so that one that fails is left out.
 *
 * @returns a function that ends it, and says that the relay has stopped
 */
export function keepHeartbeat(sql: Sql, inngestBreaker: Pick<Breaker, 'isHeldBack'>): () => Promise<void> {
  const self = { id: randomUUID(), host: hostname(), version: process.env.npm_package_version ?? 'unknown' };
  const stopping = new AbortController();
  const { signal } = stopping;

  async function run(): Promise<void> {
    while (!signal.aborted) {
      const state = inngestBreaker.isHeldBack ? 'held_back' : 'running';
      await sayAlive(sql, { ...self, state }).catch(() => undefined);
      await pause(everyMs, signal);
    }
    await sayStopped(sql, self.id).catch(() => undefined);
  }

  const running = run();
  return async () => {
    stopping.abort();
    await running;
  };
}
