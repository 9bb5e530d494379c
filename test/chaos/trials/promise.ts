import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { isrcOf, ofTrials } from '../workload.ts';
import type { Scene } from './trial.ts';

/** Rule R1. */
const promisedMs = 5_000;
/** On a machine that stands still for so long nothing can be said about time. */
const longestHoldMs = 1_000;

/**
 * Adds recordings, one after another, and waits for their events.
 *
 * @param name of what is tried; the recordings of a round and a name are like no others
 * @returns a sentence when one takes longer than promised. None when a process ended meanwhile, or the machine was too busy
 */
export async function fiveSeconds(
  { on, additions, round, onInTime }: Scene,
  name: string,
  { count, everyMs }: { count: number; everyMs: number },
): Promise<string[]> {
  const lives = () => on.relays.map(relay => relay.life()).join();
  const before = lives();
  const delay = monitorEventLoopDelay();
  delay.enable();
  const committed = new Map<string, number>();
  for (let number = 0; number < count; number++) {
    const title = `${name}, round ${round}, ${number}`;
    const isrc = isrcOf(`${ofTrials.promise}${name.slice(0, 1).toUpperCase()}`, round * 1_000 + number);
    if (await additions.insert([{ title, isrc, force: false }])) committed.set(title, Date.now());
    await wait(everyMs);
  }
  await wait(promisedMs);
  delay.disable();
  const received = new Map(on.services.arrivals().map(({ title, at }) => [title, at]));
  const late = [...committed].flatMap(([title, at]) => {
    const took = (received.get(title) ?? Number.POSITIVE_INFINITY) - at;
    return took > promisedMs ? `R1: ${title} took ${took} ms to Inngest` : [];
  });
  const canTell = lives() === before && delay.max / 1e6 < longestHoldMs;
  if (!canTell) return [];
  onInTime(committed.size - late.length);
  return late;
}
