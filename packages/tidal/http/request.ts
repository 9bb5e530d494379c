import { endAfter } from '@segue/process/timeLimit.ts';
import { backoffMs, readRetryAfter } from './backoff.ts';
import type { Clock } from './clock.ts';
import { TidalApiError } from './error.ts';
import type { Limiter } from './limiter.ts';

const maxAttempts = 4;

/** What came back: `data` when the status is 2xx, `error` when it is not; either as parsed JSON. */
export type Answer = { response: Response; data?: unknown; error?: unknown };

/** Sends one HTTP request, and reads all of its answer. */
export type Call = (signal: AbortSignal) => Promise<Answer>;

export type Requests = {
  /**
   * Asks TIDAL, at most four times, until there is an answer that will not change by asking again.
   *
   * @param subject what is asked for, in the words of an error message: `album 123`
   * @param deadline on the clock, in ms; nothing is sent or waited for after it
   * @param attempt one attempt, which makes its calls with `once`
   * @returns a 2xx answer with JSON, a redirect, or a 4xx other than 429
   * @throws TidalApiError, retryable, when there is none: no connection, no answer in time, 429, 5xx, no JSON
   */
  send(
    subject: string,
    deadline: number,
    attempt: (once: (call: Call) => Promise<Answer>) => Promise<Answer>,
  ): Promise<Answer>;
};

export type RequestOptions = {
  limiter: Limiter;
  /** For one attempt, in ms. */
  timeoutMs: number;
  clock: Clock;
};

/** Why one attempt came to nothing; another may do better. */
class AttemptFailure extends Error {
  readonly status: number | null;
  readonly retryAfterMs: number;

  constructor(
    message: string,
    status: number | null,
    details: { retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: details.cause });
    this.status = status;
    this.retryAfterMs = details.retryAfterMs ?? 0;
  }
}

/** Puts a bound on every request in time and number: a time limit, retries, and a turn with the limiter. */
export function createRequests({ limiter, timeoutMs, clock }: RequestOptions): Requests {
  async function sendOnce(subject: string, deadline: number, call: Call): Promise<Answer> {
    const remaining = () => Math.max(0, Math.ceil(deadline - clock.now()));
    if (remaining() === 0) throw new AttemptFailure(`No time is left to ask TIDAL for ${subject}`, null);
    let turnHasCome = false;
    let answer: Answer;
    try {
      const ask = () => {
        turnHasCome = true;
        return endAfter(Math.min(timeoutMs, remaining()), call);
      };
      answer = await endAfter(remaining(), patience => limiter.run(ask, patience));
    } catch (error) {
      throw turnHasCome
        ? failureOfCall(subject, error)
        : new AttemptFailure(`No turn came in time to ask TIDAL for ${subject}`, null);
    }
    throwIfTransient(subject, answer);
    return answer;
  }

  return {
    async send(subject, deadline, attempt) {
      for (let attempts = 1; ; attempts += 1) {
        try {
          return await attempt(call => sendOnce(subject, deadline, call));
        } catch (error) {
          if (!(error instanceof AttemptFailure)) throw error;
          const { status, retryAfterMs, cause } = error;
          const fail = (addition = '') => {
            const count = attempts === 1 ? '' : ` after ${attempts} attempts`;
            return new TidalApiError(error.message + count + addition, { retryable: true, status, cause });
          };
          if (attempts === maxAttempts) throw fail();
          const delay = backoffMs(attempts, status, retryAfterMs);
          if (delay >= deadline - clock.now()) {
            throw fail(retryAfterMs > 0 ? `, and asks to wait ${Math.ceil(retryAfterMs / 1000)} s` : '');
          }
          await clock.wait(delay);
        }
      }
    },
  };
}

function failureOfCall(subject: string, error: unknown): AttemptFailure {
  if (!(error instanceof Error)) throw error;
  if (error.name === 'TimeoutError') {
    return new AttemptFailure(`TIDAL did not answer in time for ${subject}`, null);
  }
  if (error instanceof SyntaxError) {
    // Not handed on as the cause: it quotes the body, which may be that of a token.
    return new AttemptFailure(`TIDAL's answer for ${subject} is not valid JSON`, null);
  }
  const code = (error.cause as { code?: unknown } | undefined)?.code;
  const reason = typeof code === 'string' ? ` (${code})` : '';
  return new AttemptFailure(`TIDAL could not be reached for ${subject}${reason}`, null, { cause: error });
}

/** @throws AttemptFailure for an answer that another attempt may better */
function throwIfTransient(subject: string, { response, data }: Answer): void {
  const { status, headers } = response;
  if (status === 429 || status >= 500) {
    const retryAfterMs = readRetryAfter(headers.get('retry-after'));
    throw new AttemptFailure(`TIDAL answered ${status} for ${subject}`, status, { retryAfterMs });
  }
  if (response.ok && data === undefined) {
    throw new AttemptFailure(`TIDAL's answer for ${subject} is empty`, status);
  }
}

/**
 * The error for an answer that is final, but not what was asked for.
 *
 * @param addressVariable the environment variable to look at when TIDAL redirects
 */
export function refusal(
  subject: string,
  { response }: Answer,
  addressVariable: string,
  detail = '',
): TidalApiError {
  const { status } = response;
  const redirect = `, a redirect, which is not followed: check ${addressVariable}`;
  const reason = status < 400 ? redirect : detail;
  return new TidalApiError(`TIDAL answered ${status} for ${subject}${reason}`, { retryable: false, status });
}
