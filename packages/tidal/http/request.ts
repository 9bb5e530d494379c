import { endAfter } from '@segue/process/timeLimit.ts';
import { inClientSpan, names } from '@segue/telemetry/spans.ts';
import { backoffMs, readRetryAfter } from './backoff.ts';
import type { Clock } from './clock.ts';
import { TidalApiError } from './error.ts';
import { type Limiter, NoTurnError, type Urgency } from './limiter.ts';
import { type ObservedRequest, outcomeOfAnswer, outcomeOfError } from './observation.ts';

/** What came back: `data` when the status is 2xx, `error` when it is not; either as parsed JSON. */
export type Answer = { response: Response; data?: unknown; error?: unknown };

/** Sends one HTTP request, and reads all of its answer. */
export type Call = (signal: AbortSignal) => Promise<Answer>;

/** Until when an answer is of use, on the clock in ms, and how urgent it is. */
export type Asking = { deadline: number; urgency: Urgency };

export type Requests = {
  /**
   * Asks TIDAL until there is an answer that will not change by asking again, for as long as there is time.
   *
   * @param subject what is asked for, in the words of an error message: `album 123`
   * @param asking nothing is sent or waited for after its deadline
   * @param attempt one attempt, which makes its calls with `once`
   * @returns a 2xx answer with JSON, a redirect, or a 4xx other than 429
   * @throws TidalApiError, retryable, when there is none: no connection, no answer in time, 429, 5xx, no JSON
   */
  send(
    subject: string,
    asking: Asking,
    attempt: (once: (call: Call) => Promise<Answer>) => Promise<Answer>,
  ): Promise<Answer>;
};

export type RequestOptions = {
  limiter: Limiter;
  /** For one attempt, in ms. */
  timeoutMs: number;
  clock: Clock;
  /** Is told of each request. */
  onRequest?: ((request: ObservedRequest) => void) | undefined;
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

/** There is no time for another attempt. */
class TimeIsUp extends Error {}

/** Puts a bound on every request in time: a time limit for each attempt and for all, and a turn with the limiter. */
export function createRequests({ limiter, timeoutMs, clock, onRequest }: RequestOptions): Requests {
  /** In a span, which has the wait for a turn in it, and an event where the turn came. */
  function sendOnce(subject: string, asking: Asking, call: Call): Promise<Answer> {
    const [kind] = subject.split(' ');
    return inClientSpan(`TIDAL ${kind}`, { [names.subject]: subject }, async span => {
      const asked = (signal: AbortSignal) => {
        span.addEvent('turn');
        return call(signal);
      };
      const answer = await attemptOnce(subject, asking, asked);
      span.setAttribute(names.httpStatus, answer.response.status);
      return answer;
    });
  }

  async function attemptOnce(subject: string, { deadline, urgency }: Asking, call: Call): Promise<Answer> {
    const remaining = () => Math.max(0, Math.ceil(deadline - clock.now()));
    if (remaining() === 0) throw new TimeIsUp(`No time is left to ask TIDAL for ${subject}`);
    const askedAt = clock.now();
    let turnAt: number | null = null;
    const observe = (outcome: ObservedRequest['outcome']) => {
      const waitedMs = (turnAt ?? clock.now()) - askedAt;
      onRequest?.({ urgency, outcome, waitedMs, tookMs: turnAt === null ? null : clock.now() - turnAt });
    };
    let answer: Answer;
    try {
      const ask = () => {
        turnAt = clock.now();
        return endAfter(Math.min(timeoutMs, remaining()), call);
      };
      answer = await endAfter(remaining(), signal => limiter.run(ask, { urgency, deadline, signal }));
      observe(outcomeOfAnswer(answer));
    } catch (error) {
      observe(outcomeOfError(error, turnAt !== null));
      if (turnAt !== null) throw failureOfCall(subject, error);
      if (!(error instanceof NoTurnError || (error as Error).name === 'TimeoutError')) throw error;
      throw new TimeIsUp(`No turn came in time to ask TIDAL for ${subject}`);
    }
    throwIfTransient(subject, answer);
    return answer;
  }

  return {
    async send(subject, asking, attempt) {
      let last: AttemptFailure | null = null;
      for (let attempts = 0; ; ) {
        try {
          return await attempt(call => sendOnce(subject, asking, call));
        } catch (error) {
          if (error instanceof TimeIsUp) throw last === null ? unasked(error) : failed(last, attempts);
          if (!(error instanceof AttemptFailure)) throw error;
          last = error;
          attempts += 1;
          if (error.status === 429) continue;
          const delay = backoffMs(attempts, error.retryAfterMs);
          if (delay >= asking.deadline - clock.now()) throw failed(error, attempts);
          await clock.wait(delay);
        }
      }
    },
  };
}

function unasked({ message }: TimeIsUp): TidalApiError {
  return new TidalApiError(message, { retryable: true, status: null, unasked: true });
}

function failed({ message, status, retryAfterMs, cause }: AttemptFailure, attempts: number): TidalApiError {
  const count = attempts === 1 ? '' : ` after ${attempts} attempts`;
  const wait = retryAfterMs > 0 ? `, and asks to wait ${Math.ceil(retryAfterMs / 1000)} s` : '';
  return new TidalApiError(message + count + wait, { retryable: true, status, cause });
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
