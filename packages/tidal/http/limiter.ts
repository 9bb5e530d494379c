import type { Clock } from './clock.ts';
import type { Pace } from './pace.ts';

/**
 * Who goes first. A person can be told nothing before TIDAL has named the item, so that items go before the tracks of
 * albums; what is completed later goes last. Tokens are not asked of the API, and cost nothing of its pace.
 */
export type Urgency = 'token' | 'item' | 'listing' | 'background';

const order: Urgency[] = ['token', 'item', 'listing', 'background'];

export type Turn = {
  urgency: Urgency;
  /** On the clock, in ms: a turn that cannot come before is refused at once. */
  deadline: number;
  signal: AbortSignal;
};

export type Limiter = {
  /**
   * Runs the task when its turn has come: the more urgent first, and in the order of asking among the equally urgent.
   *
   * @throws NoTurnError when no turn can come before the deadline; the signal's reason when it is aborted before the
   *   turn has come; what the task throws
   */
  run<Answer extends { response: Response }>(task: () => Promise<Answer>, turn: Turn): Promise<Answer>;
};

/** The turn could not come in time: our own queue is at fault, or a pause that TIDAL asked for, and not this request. */
export class NoTurnError extends Error {
  override readonly name = 'NoTurnError';
}

type Waiting = { deadline: number; begin: () => void; giveUp: (reason: unknown) => void };
type Running = { urgency: Urgency; startedAt: number; alone: boolean };

export type LimiterOptions = {
  /** Tasks that run at the same time at the most. One of them is kept free of background work. */
  maxConcurrency: number;
  pace: Pace;
  clock: Clock;
};

/** Holds one process to its share of TIDAL. Several processes learn of each other by what TIDAL's answers say. */
export function createLimiter({ maxConcurrency, pace, clock }: LimiterOptions): Limiter {
  const queues = new Map(order.map(urgency => [urgency, new Set<Waiting>()]));
  const running = new Set<Running>();
  let timer: { dueAt: number; ending: AbortController } | null = null;

  function count(...urgencies: Urgency[]): number {
    return [...running].filter(task => urgencies.includes(task.urgency)).length;
  }

  function mayRun(urgency: Urgency): boolean {
    if (running.size >= maxConcurrency) return false;
    return urgency !== 'background' || count('background') < Math.max(1, maxConcurrency - 1);
  }

  function delayOf(urgency: Urgency): number {
    return urgency === 'token' ? pace.pauseMs() : pace.delayMs(urgency === 'background');
  }

  /** Begins what may begin, and sets the timer for the next. */
  function advance(): void {
    for (const urgency of order) {
      for (const waiting of queues.get(urgency) ?? []) {
        if (!mayRun(urgency)) break;
        const delay = delayOf(urgency);
        if (clock.now() + delay >= waiting.deadline) {
          queues.get(urgency)?.delete(waiting);
          waiting.giveUp(new NoTurnError('no turn comes before the deadline'));
        } else if (delay > 0) {
          // The less urgent wait as well: what they took now would be lacking then.
          wakeUpIn(delay);
          return;
        } else {
          queues.get(urgency)?.delete(waiting);
          waiting.begin();
        }
      }
    }
  }

  function wakeUpIn(ms: number): void {
    const dueAt = clock.now() + ms;
    if (timer !== null && timer.dueAt <= dueAt) return;
    timer?.ending.abort();
    const ending = new AbortController();
    const set = { dueAt, ending };
    timer = set;
    clock
      .wait(ms, ending.signal)
      .catch(() => undefined)
      .then(() => {
        if (timer !== set) return;
        timer = null;
        advance();
      });
  }

  /** Takes the turn in the name of who waits, so that the next one that is looked at finds it taken. */
  function begin(urgency: Urgency): Running {
    for (const task of running) task.alone = false;
    const task = { urgency, startedAt: clock.now(), alone: running.size === 0 };
    running.add(task);
    if (urgency !== 'token') pace.start();
    return task;
  }

  async function takeTurn({ urgency, deadline, signal }: Turn): Promise<Running> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Running>();
    const queue = queues.get(urgency);
    const waiting: Waiting = { deadline, begin: () => resolve(begin(urgency)), giveUp: reject };
    const leave = () => {
      queue?.delete(waiting);
      reject(signal.reason);
    };
    queue?.add(waiting);
    signal.addEventListener('abort', leave, { once: true });
    advance();
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  return {
    async run(task, turn) {
      const mine = await takeTurn(turn);
      try {
        const answer = await task();
        const others = count('item', 'listing', 'background') - 1;
        if (mine.urgency === 'token') pace.learnOfToken(answer.response, mine.startedAt);
        else pace.learn(answer.response, { ...mine, others });
        return answer;
      } finally {
        running.delete(mine);
        advance();
      }
    },
  };
}
