import { reasonOf } from '@segue/process/reason.ts';
import type { Logger } from '@segue/telemetry/lines.ts';
import { traceHeaders } from '@segue/telemetry/origin.ts';
import { inClientSpan, names } from '@segue/telemetry/spans.ts';
import { Inngest } from 'inngest';

/** The name of the app; the function's full id is `segue-worker-track-ingestion`. */
const appId = 'segue-worker';

/** One request to Inngest: a registration, or an event that a step sends. */
const requestTimeoutMs = 10_000;

/**
 * Keys and addresses come from the environment, as the SDK reads it. The SDK itself gives up a request after five
 * minutes: for so long a hang of Inngest would keep the functions unregistered, and the place of each run that sends
 * its event.
 */
export function createInngestClient(logger: Logger, isDev: boolean, timeoutMs = requestTimeoutMs): Inngest {
  const sdkLogger = loggerOfSdk(logger);
  const fetchInTime: typeof fetch = (input, init) =>
    // The address is not told: it ends with the event key.
    inClientSpan('inngest request', { [names.messagingSystem]: 'inngest' }, async span => {
      const headers = new Headers(init?.headers);
      for (const [name, value] of Object.entries(traceHeaders())) headers.set(name, value);
      const response = await fetch(input, { ...init, headers, signal: AbortSignal.timeout(timeoutMs) });
      span.setAttribute(names.httpStatus, response.status);
      return response;
    });
  return new Inngest({ id: appId, isDev, logger: sdkLogger, internalLogger: sdkLogger, fetch: fetchInTime });
}

/** What the SDK says of steps, which the function says itself, and of registering, which `startRegistration` says once. */
const toldByUs =
  /^(Inngest (step|function) error|Failed to register|Couldn't unpack register response|Invalid register response schema)$/;

/** What the SDK has to say, in lines of ours: without stack traces, and what we say ourselves only for developers. */
function loggerOfSdk(logger: Logger) {
  const say = (level: 'debug' | 'warn') => (first: unknown, second?: unknown) => {
    const message = [second, first].find(part => typeof part === 'string') ?? 'Inngest SDK';
    const { err } = (typeof first === 'object' ? (first ?? {}) : {}) as { err?: unknown };
    const line = { event: 'inngest_sdk', ...(err !== undefined && { error: reasonOf(err) }) } as const;
    logger[toldByUs.test(message) ? 'debug' : level](line, message);
  };
  return { debug: say('debug'), info: say('debug'), warn: say('warn'), error: say('warn') };
}
