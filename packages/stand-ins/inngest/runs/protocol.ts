import { createHash, randomBytes } from 'node:crypto';
import { signatureOf } from '../signature.ts';
import type { RegisteredFunction } from './functions.ts';
import type { Run, StepState } from './run.ts';

/** What one request to an app brought. */
export type Exchange =
  /** A step is done, for good or for bad; the function is called again. */
  | { kind: 'step'; id: string; state: StepState; version: number }
  /** A step of several at once; it is called by itself. */
  | { kind: 'planned'; id: string; version: number }
  | { kind: 'done'; output: unknown }
  /** A step or the function failed; `stepId` is null for the function. Undefined `retryAfterMs`: the usual wait. */
  | {
      kind: 'failure';
      stepId: string | null;
      error: unknown;
      retriable: boolean;
      retryAfterMs?: number | undefined;
    };

type Operation = { id: string; op: string; data?: unknown; error?: unknown };

export type CallOptions = {
  /** Gives the call up. */
  signal: AbortSignal;
  /** Signs the call; undefined: it is one of a Dev Server. */
  signingKey: string | undefined;
};

/**
 * Calls a function as Inngest's executor does, for its next step: `POST {url}?fnId=…&stepId=step`. Without `fn_id` in
 * the context the SDK does no checkpointing, and answers after each step.
 *
 * @param stepId of a planned step; `step` for whatever is next
 * @throws what the signal says when it is aborted
 */
export async function callFunction(
  fn: RegisteredFunction,
  run: Run,
  stepId: string,
  { signal, signingKey }: CallOptions,
): Promise<Exchange> {
  const url = new URL(fn.url);
  url.searchParams.set('stepId', stepId);
  const { internalId: _, receivedAt: __, startedRun: ___, ...event } = run.event;
  const body = {
    ctx: {
      run_id: run.id,
      attempt: run.attempt,
      max_attempts: fn.retries + 1,
      disable_immediate_execution: false,
      use_api: false,
      stack: { stack: run.stack, current: run.stack.length },
      env: '',
    },
    event,
    events: [event],
    steps: run.steps,
    use_api: false,
    version: run.version,
  };
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-inngest-server-kind': signingKey ? 'cloud' : 'dev',
        ...(signingKey && { 'x-inngest-signature': signatureOf(body, signingKey) }),
        'x-run-id': run.id,
        traceparent: traceparentOf(run.id),
        ...(run.version >= 0 && { 'x-inngest-req-version': String(run.version) }),
      },
      body: JSON.stringify(body),
      signal,
    });
    return readAnswer(response, await response.text());
  } catch (error) {
    signal.throwIfAborted();
    const { message, cause } = error as Error;
    const reason = cause instanceof Error ? `${message}: ${cause.message}` : message;
    return failure(null, { name: 'Error', message: `Unable to reach SDK URL: ${reason}` });
  }
}

/** A trace a run, as Inngest's own, and a new span in it for each request. */
function traceparentOf(runId: string): string {
  const traceId = createHash('sha256').update(runId).digest('hex').slice(0, 32);
  return `00-${traceId}-${randomBytes(8).toString('hex')}-01`;
}

function readAnswer({ status, headers }: Response, text: string): Exchange {
  const version = Number(headers.get('x-inngest-req-version') ?? -1);
  const noRetry = headers.get('x-inngest-no-retry') === 'true';
  const retryAfterMs = readRetryAfter(headers.get('retry-after'));
  const body = parsed(text);
  if (status === 200) return { kind: 'done', output: body };
  if (status !== 206)
    return { kind: 'failure', stepId: null, error: body, retriable: !noRetry, retryAfterMs };

  const [operation, ...others] = [body].flat() as Operation[];
  const at = (op: string) => operation?.op === op;
  if (operation === undefined) return failure(null, { name: 'Error', message: 'no operation in the answer' });
  const { id, data = null, error } = operation;
  if (at('StepPlanned')) return { kind: 'planned', id, version };
  if (others.length === 0 && (at('StepRun') || at('Step'))) {
    return { kind: 'step', id, state: { data }, version };
  }
  if (others.length === 0 && at('StepError')) {
    return { kind: 'failure', stepId: id, error, retriable: !noRetry, retryAfterMs };
  }
  if (others.length === 0 && at('StepFailed'))
    return { kind: 'failure', stepId: id, error, retriable: false };
  const what = `The stand-in for Inngest does not offer ${operation.op}`;
  return { kind: 'failure', stepId: null, error: { name: 'Error', message: what }, retriable: false };
}

function failure(stepId: string | null, error: unknown): Exchange {
  return { kind: 'failure', stepId, error, retriable: true };
}

/** Seconds, or a moment. */
function readRetryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { name: 'Error', message: text || 'an empty answer' };
  }
}
