import { setTimeout as wait } from 'node:timers/promises';
import type { Visit } from './visitors.ts';

/** Each opens another page so often, and has a stream of live updates open all the time. */
const pageEveryMs = 10_000;
const paths = [
  '/console/',
  '/console/minutes.json?range=hour',
  '/console/requests?status=pending&order=oldest',
  '/console/requests?q=long+road',
  '/console/requests?status=dead',
  '/console/recordings/QZ0000000001',
  '/console/albums',
  '/console/actions',
];

const base = process.argv[2] as string;
const visit: Visit = { pages: 0, failed: 0, updates: 0, times: [] };
let leaving = new AbortController();
let looking: Promise<unknown> = Promise.resolve();

process.on('message', async (count: number) => {
  leaving.abort();
  await looking;
  process.send?.(visit);
  if (count === 0) return;
  Object.assign(visit, { pages: 0, failed: 0, updates: 0, times: [] });
  leaving = new AbortController();
  const { signal } = leaving;
  const all = Array.from({ length: count }, (_, at) => [follow(signal), look(at, count, signal)]);
  looking = Promise.all(all.flat());
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');

/** One tab's stream. */
async function follow(signal: AbortSignal): Promise<void> {
  try {
    const { body } = await fetch(`${base}/console/live`, { signal });
    const decoder = new TextDecoder();
    for await (const part of body ?? []) {
      visit.updates += decoder.decode(part).split('event: parts').length - 1;
    }
  } catch {
    // Leaving ends it; a stream that the relay ended counts no further update.
  }
}

/** One person's pages, one after the other; not all at the same moment. */
async function look(at: number, count: number, signal: AbortSignal): Promise<void> {
  try {
    await wait((pageEveryMs / count) * at, undefined, { signal });
    for (let page = at; ; page++) {
      const start = performance.now();
      const answer = await fetch(base + paths[page % paths.length], { signal });
      await answer.arrayBuffer();
      visit.pages += 1;
      // A recording that nobody has requested is 404.
      if (answer.status !== 200 && answer.status !== 404) visit.failed += 1;
      visit.times.push(performance.now() - start);
      await wait(pageEveryMs, undefined, { signal });
    }
  } catch {
    if (!signal.aborted) visit.failed += 1;
  }
}
