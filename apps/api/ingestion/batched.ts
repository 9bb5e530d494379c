import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Makes a lookup that reads together what is asked for in the same turn of the event loop, each key once. All members
 * of a list are resolved in one turn, and so are one query, however long the list.
 *
 * @param read gives one answer a key, in the order of the keys
 * @param nameOf what is equal for equal keys
 */
export function batched<Key, Answer>(
  read: (keys: Key[]) => Promise<Answer[]>,
  nameOf: (key: Key) => string,
): (key: Key) => Promise<Answer> {
  type Batch = { keys: Key[]; places: Map<string, number>; answers: Promise<Answer[]> };
  let batch: Batch | null = null;

  function openBatch(): Batch {
    const keys: Key[] = [];
    const answers = nextTurn().then(() => {
      batch = null;
      return read(keys);
    });
    return { keys, places: new Map(), answers };
  }

  return async key => {
    batch ??= openBatch();
    const { keys, places, answers } = batch;
    const name = nameOf(key);
    const place = places.get(name) ?? keys.push(key) - 1;
    places.set(name, place);
    return (await answers)[place] as Answer;
  };
}
