import { constants } from 'node:os';

/** Ctrl-C under npm arrives twice within a moment: from the terminal, and from npm, which passes it on. */
const sameSignalMs = 1_000;

/**
 * A signal that is aborted as soon as somebody wants us to stop: SIGINT, SIGTERM, a terminal that was closed, or
 * an output that nobody reads any more. Whoever insists ends the process at once; what it started ends with it.
 */
export function stopRequested(): AbortSignal {
  const stop = new AbortController();
  let requestedAt = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!stop.signal.aborted) requestedAt = performance.now();
      else if (performance.now() - requestedAt > sameSignalMs) process.exit(128 + constants.signals[signal]);
      stop.abort();
    });
  }
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => stop.abort());
  return stop.signal;
}

/** Resolves once the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
