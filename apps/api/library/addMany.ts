import type { Addition } from './library.ts';

/** Of ten connections to the database, and of what TIDAL is asked at a time: the rest is for others. */
const atOnce = 4;

/**
 * Adds items each by itself, in the order of their ids: one that fails spoils no other. An id that comes again
 * is told what it would be told in a later request.
 *
 * @returns one answer an id; an Error where adding it threw
 */
export async function addMany<Item extends { id: string }>(
  ids: string[],
  addOne: (id: string) => Promise<Addition<Item>>,
): Promise<(Addition<Item> | Error)[]> {
  const answers = new Map<string, Addition<Item> | Error>();
  const waiting = new Set(ids).values();
  const lanes = Array.from({ length: atOnce }, async () => {
    for (const id of waiting) {
      answers.set(id, await addOne(id).catch((error: Error) => error));
    }
  });
  await Promise.all(lanes);

  const told = new Set<string>();
  return ids.map(id => {
    const answer = answers.get(id) as Addition<Item> | Error;
    const again = told.has(id);
    told.add(id);
    const wasAdded = !(answer instanceof Error) && answer.outcome === 'added';
    return again && wasAdded ? { outcome: 'duplicate', existingItemId: answer.item.id } : answer;
  });
}
