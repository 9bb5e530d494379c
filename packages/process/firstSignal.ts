/**
 * Takes SIGTERM and SIGINT from the first moment. A process's entry imports this module first, and then the rest with
 * `await import()`: loading that takes half a second, in which a signal would end the process as if it had failed, or,
 * as PID 1 of a container, would be ignored. For the same reason this module imports nothing.
 */
type Handler = (signal: NodeJS.Signals) => void;

/** Nothing is in hand before somebody says so. */
let handler: Handler = () => process.exit(0);

process.on('SIGTERM', signal => handler(signal));
process.on('SIGINT', signal => handler(signal));

/**
 * Lets a signal be heard that came while modules were loaded, which can take a single turn of the event loop. Signals
 * are read between two turns.
 */
export async function heardSignals(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise(resolve => setImmediate(resolve));
}

/** Says what the signals do from here on. */
export function handleSignals(next: Handler): void {
  handler = next;
}
