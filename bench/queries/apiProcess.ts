import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { peakMemoryMb } from '@segue/child-process/peakMemory.ts';
import { mainThreadMs } from '../processUsage.ts';
import type { Probed } from './probe.ts';

/** As the container starts it; of its 384 MiB, Node takes half for the old generation. */
const semiSpaceMb = 16;
const heapMb = 192;
const entry = fileURLToPath(new URL('../../apps/api/main.ts', import.meta.url));
const betweenLooksMs = 20;

export type Measurement = Probed & {
  status: number;
  code: string | null;
  ms: number;
  answerMb: number;
  /** Above that of the idle process. */
  memoryMb: number;
  /** The longest that `/livez` took meanwhile. */
  livezMs: number;
};

export type ApiProcess = {
  address: string;
  /** Asks once, or so many times at once, and says what it cost. Null when the process ended. */
  measure(
    query: string,
    options?: { times?: number; variables?: object | undefined },
  ): Promise<Measurement | null>;
  /** The most memory that it has had; since the last measurement, where there was one. */
  peakMb(): Promise<number | null>;
  /** As `processUsage.ts` tells it of a process. */
  mainThreadMs(): ReturnType<typeof mainThreadMs>;
  ended(): boolean;
  stop(): Promise<void>;
};

/** The API as its container starts it, with its heap, for one user without a token. */
export async function startApi(
  databaseUrl: string,
  settings: Record<string, string> = {},
): Promise<ApiProcess> {
  const child = fork(entry, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [
      `--max-old-space-size=${heapMb}`,
      `--max-semi-space-size=${semiSpaceMb}`,
      '--expose-gc',
      '--import',
      new URL('probe.ts', import.meta.url).href,
    ],
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: databaseUrl,
      API_PORT: '0',
      NODE_ENV: 'production',
      TIDAL_CLIENT_ID: 'bench',
      TIDAL_CLIENT_SECRET: 'bench',
      ...settings,
    },
  });
  const exited = once(child, 'exit').then(() => null);
  const lines: string[] = [];
  const address = new Promise<string>((resolve, reject) => {
    exited.then(() => reject(new Error(`the API ended:\n${lines.slice(-20).join('\n')}`)));
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream as NodeJS.ReadableStream }).on('line', line => {
        lines.push(line);
        if (lines.length > 50) lines.shift();
        const found = /"address":"([^"]+)"/.exec(line)?.[1];
        if (found) resolve(found);
      });
    }
  });
  const url = await address;

  async function tell(message: 'begin' | 'end'): Promise<unknown> {
    const answer = once(child, 'message').then(([told]) => told);
    child.send(message);
    return await Promise.race([answer, exited]);
  }

  async function ask(query: string, variables: object | undefined) {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const text = await response.text();
    const code = /"code":"([A-Z_]+)"/.exec(text.slice(-1_000_000))?.[1] ?? null;
    return { status: response.status, code, answerMb: text.length / 1e6 };
  }

  /** Looks at `/livez` until told to stop, on connections of its own; resolves to the longest look. */
  async function watch(signal: AbortSignal): Promise<number> {
    let longest = 0;
    while (!signal.aborted) {
      const start = performance.now();
      await fetch(`${url}/livez`).catch(() => undefined);
      longest = Math.max(longest, performance.now() - start);
      await new Promise(resolve => setTimeout(resolve, betweenLooksMs));
    }
    return longest;
  }

  const idleMb = await (async () => {
    for (let time = 0; time < 5; time++) await ask('{ getLibraryTracks(first: 1) { id } }', undefined);
    await tell('begin');
    return (await peakMemoryMb(child.pid as number)) ?? 0;
  })();

  return {
    address: url,
    async measure(query, { times = 1, variables } = {}) {
      if (child.exitCode !== null || child.signalCode !== null) return null;
      await tell('begin');
      const watching = new AbortController();
      const looks = watch(watching.signal);
      const start = performance.now();
      const asked = Array.from({ length: times }, () => ask(query, variables));
      const answers = await Promise.allSettled(asked);
      const ms = performance.now() - start;
      watching.abort();
      const livezMs = await looks;
      const answered = answers.filter(answer => answer.status === 'fulfilled').map(({ value }) => value);
      const worst = answered.toSorted((a, b) => b.status - a.status)[0];
      if (child.exitCode !== null || child.signalCode !== null || worst === undefined) return null;
      const peak = (await peakMemoryMb(child.pid as number)) ?? 0;
      const probed = (await tell('end')) as Probed | null;
      if (probed === null) return null;
      return { ...worst, ...probed, ms, livezMs, memoryMb: peak - idleMb };
    },
    peakMb: () => peakMemoryMb(child.pid as number),
    mainThreadMs: () => mainThreadMs(child.pid as number),
    ended: () => child.exitCode !== null || child.signalCode !== null,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
