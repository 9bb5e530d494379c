import { reasonOf } from '@segue/process/reason.ts';

/** A worker, as its `/readyz` tells. */
export type WorkerState = {
  /** Host and port. */
  address: string;
  ready: boolean;
  summary: string;
};

const timeoutMs = 1_500;

/** Asks each worker how it stands. Null where none is known. */
export async function readWorkers(urls: readonly string[]): Promise<WorkerState[] | null> {
  if (urls.length === 0) return null;
  return await Promise.all(urls.map(readWorker));
}

async function readWorker(url: string): Promise<WorkerState> {
  const address = URL.parse(url)?.host ?? url;
  try {
    const answer = await fetch(`${url}/readyz`, {
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error',
    });
    const said = (await answer.json()) as Record<string, unknown>;
    const wrong = Object.entries(said)
      .filter(([name, value]) => name !== 'status' && value !== 'ok' && typeof value === 'string')
      .map(([name, value]) => `${name}: ${value}`.slice(0, 200));
    return {
      address,
      ready: answer.ok,
      summary: answer.ok ? 'takes work' : wrong.join('; ') || 'is not ready',
    };
  } catch (error) {
    return { address, ready: false, summary: `does not answer: ${reasonOf(error)}` };
  }
}
