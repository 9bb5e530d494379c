import { EventEmitter } from 'node:events';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { requestTime } from '../http/deadline.ts';
import { AnswerSlots } from './answerSlots.ts';
import { HeldPlaces } from './heldPlaces.ts';

vi.mock(import('../http/user.ts'), async original => ({ ...(await original()), userOf: () => 'ada' }));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Room for one answer of a user. */
const oneEach = () => new AnswerSlots({ cost: 200, small: 0, waiting: 10, waitingOfUser: 10 });
const socket = { destroyed: false };
const request = { userId: 'ada', raw: { socket } } as unknown as FastifyRequest;

/** An answer that is on its way to the client. */
function answer() {
  const raw = Object.assign(new EventEmitter(), { destroyed: false, destroy: vi.fn() });
  return { raw, reply: { raw } as unknown as FastifyReply };
}

/** The places of a request that has entered. */
async function entered(slots: AnswerSlots): Promise<HeldPlaces> {
  const places = new HeldPlaces(request, requestTime(40_000));
  await places.take(slots, 100);
  return places;
}

async function isFree(slots: AnswerSlots): Promise<boolean> {
  const place = slots.take('ada', 100);
  const free = await Promise.race([
    place.entered.then(() => true),
    new Promise(resolve => setImmediate(resolve, false)),
  ]);
  place.leave();
  return free === true;
}

test.each(['finish', 'close'])('a place is free at the answer’s %s, and not before', async event => {
  const slots = oneEach();
  const { raw, reply } = answer();
  (await entered(slots)).leaveAfter(reply);
  expect(await isFree(slots)).toBe(false);
  raw.emit(event);
  expect(await isFree(slots)).toBe(true);
  vi.advanceTimersByTime(60_000);
  expect(raw.destroy).not.toHaveBeenCalled();
});

test('a client that reads slowly loses its place after 5 s, and its connection when a request’s time is over', async () => {
  const slots = oneEach();
  const { raw, reply } = answer();
  (await entered(slots)).leaveAfter(reply);
  vi.advanceTimersByTime(5_000);
  expect(await isFree(slots)).toBe(true);
  expect(raw.destroy).not.toHaveBeenCalled();
  vi.advanceTimersByTime(35_000);
  expect(raw.destroy).toHaveBeenCalled();
});

test('a place is free some time after a request that came to no answer', async () => {
  const slots = oneEach();
  await entered(slots);
  vi.advanceTimersByTime(40_000);
  expect(await isFree(slots)).toBe(false);
  vi.advanceTimersByTime(5_000);
  expect(await isFree(slots)).toBe(true);
});

test('who waits in line until the time of the request is over is asked to come back, and takes no place', async () => {
  const slots = oneEach();
  await entered(slots);
  const late = expect(entered(slots)).rejects.toMatchObject({
    code: 'RATE_LIMITED',
    statusCode: 429,
    message: expect.stringContaining('waited 40000 ms'),
  });
  await vi.advanceTimersByTimeAsync(40_000);
  await late;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await isFree(slots)).toBe(true);
});

test('nothing is made for a client that has gone, and its place is free', async () => {
  const slots = oneEach();
  socket.destroyed = true;
  await expect(entered(slots)).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT', statusCode: 503 });
  socket.destroyed = false;
  expect(await isFree(slots)).toBe(true);
});
