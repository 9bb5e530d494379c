import { expect, test } from 'vitest';
import { createTestClock } from '../test/clock.ts';
import { createLimiter, type LimiterOptions, NoTurnError, type Turn } from './limiter.ts';
import { createPace } from './pace.ts';

const never = new AbortController().signal;

/** A limiter whose tasks answer 200 with whatever they return, and whose turns are those of a person. */
function limiterOf({
  maxConcurrency = 1,
  requestsPerSecond,
  clock = createTestClock(),
}: Partial<LimiterOptions> & { requestsPerSecond?: number } = {}) {
  const limiter = createLimiter({ maxConcurrency, pace: createPace({ requestsPerSecond, clock }), clock });
  return {
    async run<T>(task: () => Promise<T>, signal: AbortSignal, turn: Partial<Turn> = {}): Promise<T> {
      const answer = await limiter.run(async () => ({ response: new Response(), value: await task() }), {
        urgency: 'item',
        deadline: Number.POSITIVE_INFINITY,
        signal,
        ...turn,
      });
      return answer.value;
    },
  };
}

/** A task that ends when it is told to, and counts how many run. */
function taskBoard() {
  const running = new Set<string>();
  const order: string[] = [];
  const ends = new Map<string, () => void>();
  const task = (name: string) => async () => {
    running.add(name);
    order.push(name);
    await new Promise<void>(resolve => ends.set(name, resolve));
    running.delete(name);
    return name;
  };
  return { running, order, task, end: (name: string) => ends.get(name)?.() };
}

const settled = () => new Promise<void>(resolve => setImmediate(resolve));

test('no more tasks run than there are turns, and the next starts in the order of asking', async () => {
  const limiter = limiterOf({ maxConcurrency: 2 });
  const { running, order, task, end } = taskBoard();
  const all = ['a', 'b', 'c', 'd'].map(name => limiter.run(task(name), never));
  await settled();
  expect([...running]).toEqual(['a', 'b']);

  end('b');
  await settled();
  expect([...running]).toEqual(['a', 'c']);

  for (const name of ['a', 'c']) end(name);
  await settled();
  end('d');
  expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd']);
  expect(order).toEqual(['a', 'b', 'c', 'd']);
});

test('a task that fails gives its turn back', async () => {
  const limiter = limiterOf({ maxConcurrency: 1 });
  await expect(limiter.run(() => Promise.reject(new Error('broken')), never)).rejects.toThrow('broken');
  await expect(limiter.run(async () => 'next', never)).resolves.toBe('next');
});

test('who gives up while waiting leaves the queue, and the one behind has the turn', async () => {
  const limiter = limiterOf({ maxConcurrency: 1 });
  const { order, task, end } = taskBoard();
  const impatient = new AbortController();
  const first = limiter.run(task('first'), never);
  const second = limiter.run(task('second'), impatient.signal);
  const third = limiter.run(task('third'), never);
  await settled();

  impatient.abort(new Error('too late'));
  await expect(second).rejects.toThrow('too late');
  end('first');
  await first;
  await settled();
  end('third');
  await third;
  expect(order).toEqual(['first', 'third']);
});

test('who gives up after the turn was handed over takes no one else out of the queue', async () => {
  const limiter = limiterOf({ maxConcurrency: 1 });
  const { order, task, end } = taskBoard();
  const late = new AbortController();
  const first = limiter.run(task('first'), never);
  const second = limiter.run(task('second'), late.signal);
  const third = limiter.run(task('third'), never);
  await settled();
  end('first');
  await first;
  late.abort();
  await settled();
  end('second');
  await second;
  await settled();
  end('third');
  await third;
  expect(order).toEqual(['first', 'second', 'third']);
});

test('starts are spaced evenly over the second', async () => {
  const clock = createTestClock();
  const limiter = limiterOf({ maxConcurrency: 1, requestsPerSecond: 4, clock });
  const start = () => limiter.run(async () => clock.now(), never);
  expect(await Promise.all([start(), start(), start()])).toEqual([0, 250, 500]);
  clock.advance(10_000);
  expect(await Promise.all([start(), start()])).toEqual([10_500, 10_750]);
});

test('of those that wait for the same start one has it', async () => {
  const clock = createTestClock();
  const wakeUps: (() => void)[] = [];
  clock.wait = () => new Promise(resolve => wakeUps.push(resolve));
  const limiter = limiterOf({ maxConcurrency: 4, requestsPerSecond: 4, clock });
  const started: string[] = [];
  const all = ['a', 'b', 'c'].map(name => limiter.run(async () => started.push(name), never));
  await settled();
  expect(started).toEqual(['a']);

  for (const expected of [
    ['a', 'b'],
    ['a', 'b', 'c'],
  ]) {
    clock.advance(250);
    for (const wakeUp of wakeUps.splice(0)) wakeUp();
    await settled();
    expect(started).toEqual(expected);
  }
  await Promise.all(all);
});

test('a start that was waited for and given up is not lost to the next', async () => {
  const clock = createTestClock();
  const limiter = limiterOf({ maxConcurrency: 4, requestsPerSecond: 0.1, clock });
  await limiter.run(async () => undefined, never);
  const impatient = new AbortController();
  const realWait = clock.wait;
  clock.wait = async () => {
    impatient.abort(new Error('too late'));
    impatient.signal.throwIfAborted();
  };
  await expect(limiter.run(async () => undefined, impatient.signal)).rejects.toThrow('too late');
  clock.wait = realWait;
  await limiter.run(async () => undefined, never);
  expect(clock.waits).toEqual([10_000]);
});

test('the more urgent goes first, whoever asked first', async () => {
  const limiter = limiterOf();
  const { order, task, end } = taskBoard();
  const run = (name: string, urgency: Turn['urgency']) => limiter.run(task(name), never, { urgency });
  const all = [
    run('first', 'background'),
    run('later', 'background'),
    run('listing', 'listing'),
    run('item', 'item'),
    run('token', 'token'),
  ];
  for (const name of ['first', 'token', 'item', 'listing', 'later']) {
    await settled();
    end(name);
  }
  await Promise.all(all);
  expect(order).toEqual(['first', 'token', 'item', 'listing', 'later']);
});

test('background work leaves a turn free', async () => {
  const limiter = limiterOf({ maxConcurrency: 3 });
  const { running, task, end } = taskBoard();
  const behind = ['a', 'b', 'c'].map(name => limiter.run(task(name), never, { urgency: 'background' }));
  await settled();
  expect([...running]).toEqual(['a', 'b']);
  const person = limiter.run(task('person'), never);
  await settled();
  expect([...running]).toEqual(['a', 'b', 'person']);
  for (const name of ['a', 'b', 'person', 'c']) {
    end(name);
    await settled();
  }
  await Promise.all([...behind, person]);
});

test('a turn that cannot come before the deadline is refused at once, and the one behind is looked at', async () => {
  const clock = createTestClock();
  const limiter = limiterOf({ maxConcurrency: 4, requestsPerSecond: 0.1, clock });
  await limiter.run(async () => undefined, never);
  const late = limiter.run(async () => 'late', never, { deadline: clock.now() + 9_999 });
  const patient = limiter.run(async () => clock.now(), never, { deadline: clock.now() + 10_001 });
  await expect(late).rejects.toBeInstanceOf(NoTurnError);
  expect(await patient).toBe(10_000);
});
