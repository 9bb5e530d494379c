import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { spawnKept } from '@segue/child-process/childProcess.ts';
import { endAfter } from '@segue/process/timeLimit.ts';
import { type Configuration, checkout } from '../configuration.ts';
import { addressOf, choosePort } from '../services/ports.ts';
import type { ProcessLog } from './processLog.ts';
import type { Running } from './supervision.ts';

/** A process of its own, configured by its environment alone. */
export type Program = {
  /** As its script in the manifest is called. */
  name: 'api' | 'relay' | 'worker';
  host: string;
  portVariable: 'API_PORT' | 'RELAY_PORT' | 'WORKER_PORT';
  /** The one that is wished for; 0 for any. */
  port: number;
  /** What a person asks of it first. */
  frontDoor: string;
};

/** All programs, in the order in which they are stopped. */
export function programsOf(configuration: Configuration): Program[] {
  return [
    {
      name: 'api',
      host: configuration.API_HOST,
      portVariable: 'API_PORT',
      port: configuration.API_PORT,
      frontDoor: '/graphql',
    },
    {
      name: 'relay',
      host: configuration.RELAY_HOST,
      portVariable: 'RELAY_PORT',
      port: configuration.RELAY_PORT,
      frontDoor: '/console/',
    },
    {
      name: 'worker',
      host: configuration.WORKER_HOST,
      portVariable: 'WORKER_PORT',
      port: configuration.WORKER_PORT,
      frontDoor: '/readyz',
    },
  ];
}

/** What Node is given to run a program: as by `npm run relay`, with its limits of memory. */
export function nodeArguments(name: Program['name']): string[] {
  const { scripts } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'));
  const [, , ...options]: string[] = scripts[name].split(' ');
  const entry = options.pop() as string;
  return [...options, join(checkout, entry)];
}

/** A program with its place in the machine. */
export type PlacedProgram = Program & {
  /** `http://127.0.0.1:4000` */
  address: string;
  /** The wished port, where it is taken. */
  takenPort?: number;
  environment: NodeJS.ProcessEnv;
};

/** Gives a program its port, another one where that is taken. */
export async function place(program: Program, environment: NodeJS.ProcessEnv): Promise<PlacedProgram> {
  const port = await choosePort(program.port, program.host);
  return {
    ...program,
    address: addressOf(program.host, port),
    ...(port !== program.port && program.port !== 0 && { takenPort: program.port }),
    environment: { ...environment, [program.portVariable]: String(port) },
  };
}

/** Node needs some 0.5 s to start a process; a busy machine ten times that. */
const answersWithinMs = 60_000;
/** What is up and only waits for a service outside may go on waiting while we go on. */
const readyWithinMs = 5_000;
const askEveryMs = 50;
const answerWithinMs = 3_000;
/** More than the 10 s that a program gives itself. */
const stopWithinSeconds = 15;

/**
 * Starts a program and waits until it is ready, or alive for 5 s without being ready: a relay whose Inngest is
 * away waits for it, and so should nobody else.
 *
 * @throws Error with the program's last words when it ends before that; what the signal says when it is aborted
 */
export async function startProgram(
  { name, address, environment }: PlacedProgram,
  log: ProcessLog,
  signal: AbortSignal,
): Promise<Running> {
  const child = await spawnKept(process.execPath, nodeArguments(name), {
    env: environment,
    graceSeconds: stopWithinSeconds,
    output: log.take,
  });
  const ended = new AbortController();
  child.exited.then(() => ended.abort());
  try {
    await untilReady(address, AbortSignal.any([signal, ended.signal]));
    return child;
  } catch (error) {
    const { code, signal: killedBy } = await child.stop();
    signal.throwIfAborted();
    if (!ended.signal.aborted) throw error;
    throw new Error(`${name} ended: ${log.lastWords() ?? killedBy ?? `exit code ${code}`}`);
  }
}

async function untilReady(address: string, signal: AbortSignal): Promise<void> {
  const start = performance.now();
  let aliveAt: number | null = null;
  for (;;) {
    const status = await statusOf(`${address}/readyz`, signal);
    signal.throwIfAborted();
    if (status === 200) return;
    const now = performance.now();
    if (status !== null) aliveAt ??= now;
    if (aliveAt !== null && now - aliveAt > readyWithinMs) return;
    if (now - start > answersWithinMs) {
      throw new Error(`${address}/readyz does not answer after ${answersWithinMs / 1000} s`);
    }
    await wait(askEveryMs, undefined, { signal });
  }
}

/** Null while nobody answers. */
async function statusOf(url: string, signal: AbortSignal): Promise<number | null> {
  const ask = async (signal: AbortSignal) => {
    const response = await fetch(url, { signal });
    await response.body?.cancel();
    return response.status;
  };
  try {
    return await endAfter(answerWithinMs, ask, signal);
  } catch {
    return null;
  }
}
