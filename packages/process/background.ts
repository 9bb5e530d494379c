import { pause } from './pause.ts';
import type { Service } from './services.ts';

export type BackgroundOptions = {
  name: string;
  /** Between the end of a round and the next one, in ms. */
  everyMs: number;
  /** Before the first round; by default `everyMs`. */
  firstAfterMs?: number;
  /** Does the work. Ends early when the signal is aborted. */
  round: (signal: AbortSignal) => Promise<void>;
  /** Is told of a round that failed; the next one comes all the same. */
  onFailure: (error: unknown) => void;
};

/** Work that is done again and again beside everything else. Its stop waits for the round under way. */
export function inBackground({ name, everyMs, firstAfterMs, round, onFailure }: BackgroundOptions): Service {
  const stopping = new AbortController();
  const { signal } = stopping;
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    await pause(firstAfterMs ?? everyMs, signal);
    while (!signal.aborted) {
      try {
        await round(signal);
      } catch (error) {
        onFailure(error);
      }
      await pause(everyMs, signal);
    }
  }

  return {
    name,
    start() {
      running = run();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
