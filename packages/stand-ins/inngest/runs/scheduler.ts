import type { ReceivedEvent } from '../eventLog.ts';
import { isTriggeredBy, type RegisteredFunction } from './functions.ts';
import { callFunction, type Exchange } from './protocol.ts';
import { hasEnded, newRun, type Run, runIdFor } from './run.ts';
import type { RunLog } from './runLog.ts';

export type SchedulerOptions = {
  log: RunLog;
  /** The events that the server has stored, in the order of their arrival. */
  events(): ReceivedEvent[];
  /** Before the next attempt, in ms; `failures` of this step so far, from 1. */
  retryDelayMs(failures: number): number;
  /** Signs the calls to functions; without it they are those of a Dev Server. */
  signingKey: string | undefined;
  /** Told when a run has used up its attempts. */
  onFailed(run: Run): void;
};

export type Scheduler = {
  /** Takes over what an app offers. Events that came before any function listened to them start their runs now. */
  register(app: string, functions: RegisteredFunction[]): void;
  receive(event: ReceivedEvent): void;
  /** Gives up the calls under way; their steps are done anew after a restart. */
  close(): Promise<void>;
};

/**
 * Runs functions:
 *
 *     Scheduled ── due, a place free ──▶ Running ── returned ──▶ Completed
 *                                         │   └── attempts used up, or no retry ──▶ Failed
 *                                         └── failed: waits for its next attempt, still Running
 *
 * Each step is retried by itself, and finished ones are kept. A function's `concurrency` counts requests; throttles,
 * rate limits and idempotency are not looked at.
 */
export function startScheduler(options: SchedulerOptions): Scheduler {
  const { log, events, retryDelayMs, signingKey, onFailed } = options;
  const closing = new AbortController();
  const queues = new Map<string, Queue>();
  const underWay = new Set<Promise<void>>();

  for (const run of log.runs().values()) if (!hasEnded(run)) enqueue(run);
  // An event may have been written before a crash, and its run not.
  for (const fn of log.functions().values()) startMissing(fn);

  function startMissing(fn: RegisteredFunction): void {
    for (const event of events()) start(fn, event);
  }

  function start(fn: RegisteredFunction, event: ReceivedEvent): void {
    if (!event.startedRun || !isTriggeredBy(fn, event) || log.runs().has(runIdFor(fn.id, event))) return;
    const run = newRun(fn, event);
    log.add(run);
    enqueue(run);
  }

  function enqueue(run: Run): void {
    const queue = queueOf(run.functionId);
    const place = queue.waiting.findLastIndex(({ order }) => order <= run.order) + 1;
    queue.waiting.splice(place, 0, run);
    pump(run.functionId, queue);
  }

  function queueOf(functionId: string): Queue {
    const queue = queues.get(functionId) ?? { waiting: [], active: 0, timer: undefined };
    queues.set(functionId, queue);
    return queue;
  }

  function pump(functionId: string, queue: Queue): void {
    const fn = log.functions().get(functionId);
    // Of an app that offers it no more, or not yet: the run waits.
    if (!fn || closing.signal.aborted) return;
    while (fn.concurrency === 0 || queue.active < fn.concurrency) {
      const now = Date.now();
      const place = queue.waiting.findIndex(({ dueAt }) => dueAt <= now);
      if (place === -1) break;
      const [run] = queue.waiting.splice(place, 1) as [Run];
      queue.active += 1;
      const work = execute(fn, run)
        .catch(error => {
          if (!closing.signal.aborted) throw error;
        })
        .finally(() => {
          queue.active -= 1;
          underWay.delete(work);
          pump(functionId, queue);
        });
      underWay.add(work);
    }
    clearTimeout(queue.timer);
    const next = queue.waiting.reduce(
      (earliest, { dueAt }) => Math.min(earliest, dueAt),
      Number.POSITIVE_INFINITY,
    );
    if (next === Number.POSITIVE_INFINITY) return;
    // A timer of a day at the most; what is due later is looked at again then.
    const waitMs = Math.min(Math.max(next - Date.now(), 1), 86_400_000);
    queue.timer = setTimeout(() => pump(functionId, queue), waitMs);
  }

  /** Calls the function until it is done, or has to wait. */
  async function execute(fn: RegisteredFunction, run: Run): Promise<void> {
    if (run.status === 'Scheduled') log.change(run, { status: 'Running' });
    let stepId = 'step';
    for (;;) {
      const exchange = await callFunction(fn, run, stepId, { signingKey, signal: closing.signal });
      stepId = 'step';
      if (exchange.kind === 'done') return end(run, 'Completed', exchange.output);
      if (exchange.kind === 'planned') {
        stepId = exchange.id;
        if (run.version !== exchange.version) log.change(run, { version: exchange.version });
      } else if (exchange.kind === 'step') {
        log.addStep(run, exchange.id, exchange.state);
        log.change(run, { attempt: 0, version: exchange.version });
      } else if (!fail(fn, run, exchange)) return;
    }
  }

  /** Whether the function is to be called again at once: it may catch the error of a step that is out of attempts. */
  function fail(fn: RegisteredFunction, run: Run, failure: Exchange & { kind: 'failure' }): boolean {
    const { stepId, error, retriable, retryAfterMs } = failure;
    const failures = run.attempt + 1;
    if (retriable && failures <= fn.retries) {
      log.change(run, { attempt: failures, dueAt: Date.now() + (retryAfterMs ?? retryDelayMs(failures)) });
      enqueue(run);
      return false;
    }
    if (stepId === null) {
      end(run, 'Failed', error);
      return false;
    }
    log.addStep(run, stepId, { error });
    log.change(run, { attempt: 0 });
    return true;
  }

  function end(run: Run, status: 'Completed' | 'Failed', output: unknown): void {
    log.change(run, { status, output, endedAt: Date.now() });
    if (status === 'Failed') onFailed(run);
  }

  return {
    register(app, functions) {
      const known = new Set(log.functions().keys());
      log.register(app, functions);
      for (const fn of functions) {
        if (!known.has(fn.id)) startMissing(fn);
        pump(fn.id, queueOf(fn.id));
      }
    },
    receive(event) {
      for (const fn of log.functions().values()) start(fn, event);
    },
    async close() {
      closing.abort();
      for (const { timer } of queues.values()) clearTimeout(timer);
      await Promise.allSettled(underWay);
    },
  };
}

type Queue = {
  /** By their order. */
  waiting: Run[];
  /** Requests under way. */
  active: number;
  timer: NodeJS.Timeout | undefined;
};
