import { setTimeout as wait } from 'node:timers/promises';

/** Waits, unless the signal ends the wait early; then it returns at once. Never throws. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal, ref: true }).catch(() => undefined);
}
