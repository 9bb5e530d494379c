import { setTimeout as wait } from 'node:timers/promises';
import { accessInputs } from './inputs/access.ts';
import { additionInputs } from './inputs/additions.ts';
import { clientInputs } from './inputs/clients.ts';
import { fuzzInputs } from './inputs/fuzz.ts';
import { limitInputs } from './inputs/limits.ts';
import type { Input } from './target.ts';

export type AttackOrder = {
  url: string;
  /** By the name of the user. */
  tokens: Record<string, string>;
  requestTimeoutMs: number;
};

/** What came of one input. */
export type AttackedBy = {
  name: string;
  times: number;
  /** Answers that were not right. */
  faults: number;
  examples: string[];
  slowestMs: number;
};

const keptExamples = 3;

/** The attack, in a process of its own: all inputs side by side, each again as soon as it has its answer. */
process.once('message', (order: AttackOrder) => {
  const stopping = new AbortController();
  const running = Promise.all(inputsOf(order).map(input => repeat(input, stopping.signal)));
  process.once('message', async () => {
    stopping.abort();
    process.send?.(await running, () => process.exit());
  });
});
// Whoever asked is gone.
process.on('disconnect', () => process.exit());

function inputsOf({ url, tokens, requestTimeoutMs }: AttackOrder): Input[] {
  const as = (user: string) => ({ url, token: tokens[user] as string });
  return [
    ...limitInputs(as('rich'), as('plain'), requestTimeoutMs),
    ...accessInputs(as('plain')),
    ...clientInputs(as('web'), as('paging')),
    ...additionInputs({ albums: as('albums'), bulks: as('bulks'), odd: as('odd') }),
    ...fuzzInputs(as('fuzz')),
  ];
}

async function repeat({ name, once, pauseMs = 0 }: Input, signal: AbortSignal): Promise<AttackedBy> {
  const by: AttackedBy = { name, times: 0, faults: 0, examples: [], slowestMs: 0 };
  while (!signal.aborted) {
    const start = performance.now();
    const fault = await once().catch((error: Error) => `${error.message}: ${String(error.cause ?? '')}`);
    by.slowestMs = Math.max(by.slowestMs, performance.now() - start);
    by.times++;
    if (fault !== null) {
      by.faults++;
      if (by.examples.length < keptExamples) by.examples.push(fault);
    }
    if (pauseMs > 0) await wait(pauseMs, undefined, { signal }).catch(() => undefined);
  }
  return by;
}
