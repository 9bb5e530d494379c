import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** What the visitors of a console saw since they came. */
export type Visit = {
  pages: number;
  /** Pages that were answered with anything but 200. */
  failed: number;
  /** Live updates, of all tabs together. */
  updates: number;
  /** Milliseconds that each page took, until its last byte. */
  times: number[];
};

export type Visitors = {
  /** How many look, from now on. */
  come(count: number): Promise<void>;
  /** All leave. */
  leave(): Promise<Visit>;
  stop(): Promise<void>;
};

/** Starts a process that visits a console as people with a tab each do. It ends with us at the latest. */
export async function startVisitors(url: string): Promise<Visitors> {
  const child = fork(new URL('visitorsProcess.ts', import.meta.url), [url]);
  await once(child, 'message');
  return {
    come: async count => void (await ask(child, count)),
    leave: async () => (await ask(child, 0)) as Visit,
    async stop() {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

async function ask(child: ChildProcess, count: number): Promise<unknown> {
  child.send(count);
  const [answer] = await once(child, 'message');
  return answer;
}
