import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { Sql } from '@segue/database/connection.ts';
import type { Bench } from '../bench.ts';
import { type Cpu, cpuBetween, type Drain, warmUpRows } from '../outboxDrain.ts';
import { cpuSeconds } from '../processUsage.ts';
import { type Recording, recordings } from '../recordings.ts';

/** A queue whose drain of no-ops is measured beside ours. */
export type Peer = {
  /** With its version. */
  name: string;
  /** The settings that it runs with, and where its documentation gives them. */
  settings: string;
  /** Its process: says `ready`, then `done` after each {@link PeerOrder}. */
  process: URL;
  /** Adds a job for each recording through the peer's own interface, all visible at once or before `go`. */
  load(sql: Sql, url: string, jobs: Recording[]): Promise<void>;
  /** Whether no job is left that is not completed. */
  isDrained(sql: Sql): Promise<boolean>;
};

/** Work so many jobs off. Sent once they are there. */
export type PeerOrder = { kind: 'go'; jobs: number };
export type PeerAnswer = { kind: 'ready' } | { kind: 'done' };

const lookEveryMs = 5;

/**
 * Drains a peer's queue as `drainOutbox` drains ours: warmed up, from the moment when the jobs are there until
 * the last one is completed in the database.
 *
 * @throws Error when the peer's process ends early
 */
export async function drainPeer({ server }: Bench, peer: Peer, jobs: number): Promise<Drain> {
  await using database = await server.createDatabase({ migrated: false });
  const { sql, url } = database;
  const child = fork(peer.process, { env: { PATH: process.env.PATH, DATABASE_URL: url } });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${peer.name} ended with exit code ${code}`);
  });
  ended.catch(() => undefined);
  const alive = <Result>(work: Promise<Result>) => Promise.race([work, ended]);
  try {
    await alive(once(child, 'message'));
    await drain(child, recordings(1, warmUpRows));

    await server.checkpoint();
    const { before, seconds } = await drain(child, recordings(1 + warmUpRows, jobs));
    return { rows: jobs, seconds, rowsPerSecond: jobs / seconds, cpu: cpuBetween(before, await cpu()) };
  } finally {
    if (child.connected) child.disconnect();
    await ended.catch(() => undefined);
  }

  async function drain(worker: ChildProcess, part: Recording[]): Promise<{ before: Cpu; seconds: number }> {
    await peer.load(sql, url, part);
    const before = await cpu();
    const start = performance.now();
    const done = once(worker, 'message');
    worker.send({ kind: 'go', jobs: part.length } satisfies PeerOrder);
    await alive(done);
    while (!(await peer.isDrained(sql))) await wait(lookEveryMs);
    return { before, seconds: (performance.now() - start) / 1_000 };
  }

  async function cpu(): Promise<Cpu> {
    return {
      worker: await cpuSeconds(child.pid as number, { descendants: false }),
      database: await server.cpuSeconds(),
      sink: null,
    };
  }
}
