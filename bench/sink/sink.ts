import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** What the sink is told, and what it answers; one answer to each order. */
export type SinkOrder = { kind: 'reset' } | { kind: 'report'; withArrivals: boolean };
export type SinkAnswer =
  | { kind: 'listening'; port: number }
  | { kind: 'reset' }
  | { kind: 'report'; events: number; repeats: number; arrivals: [id: string, ms: number][] };

type SinkReport = Omit<Extract<SinkAnswer, { kind: 'report' }>, 'kind'>;

/** Inngest, Qdrant and TIDAL in one process, which counts what Inngest is sent. */
export type Sink = {
  url: string;
  pid: number;
  /** Forgets what has arrived. */
  reset(): Promise<void>;
  /** Different events since the last reset, and repeats of those. Arrival times are `process.hrtime` in ms. */
  report(options?: { withArrivals: boolean }): Promise<SinkReport>;
  stop(): Promise<void>;
};

/** Now, as the sink tells the time. */
export function sinkNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Starts the sink. It ends with us at the latest. */
export async function startSink(): Promise<Sink> {
  const child = fork(new URL('process.ts', import.meta.url), { serialization: 'advanced' });
  const [listening] = (await once(child, 'message')) as [Extract<SinkAnswer, { kind: 'listening' }>];
  return {
    url: `http://127.0.0.1:${listening.port}`,
    pid: child.pid as number,
    async reset() {
      await ask(child, { kind: 'reset' });
    },
    async report({ withArrivals } = { withArrivals: false }) {
      const answer = await ask(child, { kind: 'report', withArrivals });
      if (answer.kind !== 'report') throw new Error(`the sink answered ${answer.kind}`);
      return answer;
    },
    async stop() {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

async function ask(child: ChildProcess, order: SinkOrder): Promise<SinkAnswer> {
  child.send(order);
  const [answer] = await once(child, 'message');
  return answer as SinkAnswer;
}
