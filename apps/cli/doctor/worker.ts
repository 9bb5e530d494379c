import { httpUrls, readEnvironment } from '@segue/process/environment.ts';
import { reasonOf } from '@segue/process/reason.ts';
import { z } from 'zod';
import { type Check, failure, ok, skipped } from './check.ts';

/** What the check of the workers reads of the environment: the same as the console. */
export const schema = z.object({ CONSOLE_WORKERS: httpUrls.optional() });

/** Each worker says that Inngest has its functions. Without them, Inngest drops events. */
export const worker: Check = {
  name: 'worker',
  after: [],
  timeoutMs: 5_000,
  async run({ environment, signal }) {
    const urls = readEnvironment(schema, environment).CONSOLE_WORKERS ?? [];
    if (urls.length === 0) return skipped('CONSOLE_WORKERS, which names the workers, is not set here');
    const problems = (await Promise.all(urls.map(url => problemOf(url, signal)))).flatMap(
      problem => problem ?? [],
    );
    const [first] = problems;
    if (first === undefined)
      return ok(`Inngest has the functions of ${urls.length === 1 ? urls[0] : `all ${urls.length}`}`);
    const others = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    return failure(`${first}${others}`, 'docs/runbook/worker-down.md');
  },
};

async function problemOf(url: string, signal: AbortSignal): Promise<string | null> {
  try {
    const answer = await fetch(`${url}/readyz`, { signal, redirect: 'error' });
    if (answer.ok) return null;
    const { inngest } = (await answer.json()) as { inngest?: unknown };
    return inngest === 'ok'
      ? `${url} answers ${answer.status}`
      : `Inngest does not have the functions of ${url}`;
  } catch (error) {
    return `${url} does not answer: ${reasonOf(error)}`;
  }
}
