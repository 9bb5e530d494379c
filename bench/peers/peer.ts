import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { Sql } from '@segue/database/connection.ts';
import type { Bench } from '../bench.ts';
import { type Cpu, cpuBetween, type Drain, warmUpRows } from '../outboxDrain.ts';
import { cpuSeconds } from '../processUsage.ts';
import { expectedEvents, type Recording, recordings } from '../recordings.ts';

/** A queue, or a design without one, whose drain is measured beside ours. */
export type Peer = {
  /** With its version. */
  name: string;
  /** The settings that it runs with, and where its documentation gives them. */
  settings: string;
  /** Its process: says `ready`, then `done` after each {@link PeerOrder}. */
  process: URL;
  /** Whether its database has Segue's tables; it makes its own otherwise. */
  migrated: boolean;
  /** Whether every event must be at the sink in the end, and whether repeats of it may be. A no-op sends none. */
  events: 'none' | 'each once' | 'with repeats';
  /**
   * Adds a job for each recording through the peer's own interface, all visible at once or before `go`.
   *
   * @returns how many jobs that makes
   */
  load(sql: Sql, url: string, requested: Recording[]): Promise<number>;
  /** Whether no job is left that is not completed. */
  isDrained(sql: Sql): Promise<boolean>;
};

/** Work so many jobs off. Sent once they are there. Without jobs: so many recordings, from a number on. */
export type PeerOrder = { kind: 'go'; jobs: number; firstRecording: number };
export type PeerAnswer = { kind: 'ready' } | { kind: 'done' };

const lookEveryMs = 5;

/**
 * Drains a peer's queue as `drainOutbox` drains ours: warmed up, from the moment when the jobs are there until
 * the last one is completed in the database.
 *
 * @throws Error when the peer's process ends early, or an event is missing or was sent twice
 */
export async function drainPeer({ server, sink }: Bench, peer: Peer, rows: number): Promise<Drain> {
  await using database = await server.createDatabase({ migrated: peer.migrated });
  const { sql, url } = database;
  const child = fork(peer.process, {
    // Its log goes into a pipe that is read, as in production.
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: url,
      SINK_URL: sink.url,
      INNGEST_BASE_URL: sink.url,
      INNGEST_EVENT_KEY: 'bench',
    },
  });
  child.stdout?.resume();
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${peer.name} ended with exit code ${code}`);
  });
  ended.catch(() => undefined);
  const alive = <Result>(work: Promise<Result>) => Promise.race([work, ended]);
  try {
    await alive(once(child, 'message'));
    // Less for those that are slow, and get fewer.
    const warmUp = Math.min(warmUpRows, Math.round(rows / 5));
    await drain(child, 1, warmUp);

    await server.checkpoint();
    await sink.reset();
    const { before, seconds, requested } = await drain(child, 1 + warmUp, rows);
    const after = await cpu();
    await check(requested);
    return { rows, seconds, rowsPerSecond: rows / seconds, cpu: cpuBetween(before, after) };
  } finally {
    if (child.connected) child.disconnect();
    await ended.catch(() => undefined);
  }

  async function drain(worker: ChildProcess, firstRecording: number, count: number) {
    const requested = recordings(firstRecording, count);
    const jobs = await peer.load(sql, url, requested);
    const before = await cpu();
    const start = performance.now();
    const done = once(worker, 'message');
    worker.send({ kind: 'go', jobs, firstRecording } satisfies PeerOrder);
    await alive(done);
    while (!(await peer.isDrained(sql))) await wait(lookEveryMs);
    return { before, seconds: (performance.now() - start) / 1_000, requested };
  }

  async function check(requested: Recording[]): Promise<void> {
    if (peer.events === 'none') return;
    const expected = expectedEvents(requested).size;
    const { events, repeats } = await sink.report();
    if (events !== expected || (peer.events === 'each once' && repeats > 0)) {
      throw new Error(`${peer.name}: ${expected} events were due; ${events} arrived, and ${repeats} repeats`);
    }
  }

  async function cpu(): Promise<Cpu> {
    return {
      worker: await cpuSeconds(child.pid as number, { descendants: false }),
      database: await server.cpuSeconds(),
      sink: await cpuSeconds(sink.pid, { descendants: false }),
    };
  }
}
