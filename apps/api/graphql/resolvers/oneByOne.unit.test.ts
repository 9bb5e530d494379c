import { expect, test, vi } from 'vitest';
import { demandTime, requestTime, within } from '../../http/deadline.ts';
import { oneByOne } from './oneByOne.ts';

function requestOf(limitMs: number) {
  const time = requestTime(limitMs);
  const reading = <Result>(work: () => Promise<Result>) =>
    within(
      time,
      (async () => {
        demandTime(time);
        return await work();
      })(),
    );
  return { time, reading };
}

test("a request's reads come one after the other, another's beside them, and one that fails spoils no other", async () => {
  const events: string[] = [];
  const read = (request: ReturnType<typeof requestOf>, name: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const answer = oneByOne(request, () => {
      events.push(name);
      return promise;
    });
    return { answer, resolve: () => resolve(name), reject: () => reject(new Error(name)) };
  };
  const [one, other] = [requestOf(60_000), requestOf(60_000)];
  const [first, second, third] = [read(one, 'first'), read(one, 'second'), read(one, 'third')];
  const beside = read(other, 'beside');
  beside.resolve();
  expect(await beside.answer).toBe('beside');
  expect(events).toEqual(['first', 'beside']);

  first.reject();
  await expect(first.answer).rejects.toThrow('first');
  second.resolve();
  third.resolve();
  expect(await Promise.all([second.answer, third.answer])).toEqual(['second', 'third']);
  expect(events).toEqual(['first', 'beside', 'second', 'third']);
});

test('what waits when the time of the request ends is not read any more', async () => {
  const request = requestOf(60_000);
  const started: string[] = [];
  const first = Promise.withResolvers<string>();
  const read = (name: string, answer: Promise<string>) =>
    oneByOne(request, () => {
      started.push(name);
      return answer;
    });
  const reading = read('first', first.promise);
  const waiting = [read('second', first.promise), read('third', first.promise)];

  await vi.waitFor(() => expect(started).toEqual(['first']));
  request.time.endsAt = performance.now();
  first.resolve('read');

  const settled = Promise.allSettled(waiting);
  expect(await reading).toBe('read');
  const refused = { status: 'rejected', reason: expect.objectContaining({ code: 'REQUEST_TIMEOUT' }) };
  expect(await settled).toEqual([refused, refused]);
  expect(started).toEqual(['first']);
});
