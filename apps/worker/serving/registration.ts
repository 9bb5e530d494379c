import { pause } from '@segue/process/pause.ts';
import { reasonOf } from '@segue/process/reason.ts';
import type { Logger } from '@segue/telemetry/lines.ts';

export type RegistrationOptions = {
  /** Registers the functions. @throws Error saying why Inngest did not take them */
  register(): Promise<void>;
  /** Whether Inngest answers at all. @throws when it does not */
  probe(): Promise<void>;
  /** A Dev Server forgets its apps when it restarts, so it is told again and again. */
  forgetful: boolean;
  logger: Logger;
  /** Between two attempts while Inngest has not taken them: no event may come before. */
  retryEveryMs?: number;
  /** Between two looks at an Inngest that has our functions. */
  everyMs?: number;
};

export type Registration = {
  /** Whether Inngest has our functions, as far as we know. */
  readonly isRegistered: boolean;
  /** A call under way is not waited for: nothing is lost with it, and an Inngest that hangs would delay the stop. */
  stop(): void;
};

/**
 * Registers the functions until Inngest has taken them, and again when it comes back after it was away. Nothing runs
 * before: an event that arrives at a server without functions is dropped by it without a word.
 */
export function startRegistration(options: RegistrationOptions): Registration {
  const { register, probe, forgetful, logger, retryEveryMs = 500, everyMs = 10_000 } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  let registered = false;
  let away = false;

  async function look(): Promise<void> {
    if (registered && !forgetful) await probe();
    if (!registered || forgetful) await register();
    if (!registered) logger.info({ event: 'functions_registered' }, 'Inngest has our functions');
    registered = true;
    away = false;
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        await look();
      } catch (error) {
        if (signal.aborted) return;
        registered = false;
        if (!away) {
          const line = { event: 'inngest_error', result: 'error', error: reasonOf(error) } as const;
          logger.error(line, 'functions not registered with Inngest; trying again until it takes them');
        }
        away = true;
      }
      await pause(registered ? everyMs : retryEveryMs, signal);
    }
  }

  void run();
  return {
    get isRegistered() {
      return registered;
    },
    stop: () => stopping.abort(),
  };
}
