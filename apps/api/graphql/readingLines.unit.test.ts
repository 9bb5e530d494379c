import { expect, test } from 'vitest';
import { ReadingLines } from './readingLines.ts';

/** Reads that end when they are told to, and what has begun so far. */
function reads() {
  const lines = new ReadingLines();
  const begun: string[] = [];
  return {
    begun,
    read(user: string, name: string) {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const answer = lines.run(user, () => {
        begun.push(name);
        return promise;
      });
      return { answer, end: () => resolve(name), fail: () => reject(new Error(name)) };
    },
  };
}

const settled = () => new Promise<void>(resolve => setImmediate(resolve));

test('two reads of a user run at a time, the others in the order of asking, and one that fails spoils no other', async () => {
  const { begun, read } = reads();
  const all = ['a', 'b', 'c', 'd'].map(name => read('mallory', name));
  expect(begun).toEqual(['a', 'b']);

  all[1]?.fail();
  await expect(all[1]?.answer).rejects.toThrow('b');
  await settled();
  expect(begun).toEqual(['a', 'b', 'c']);

  for (const each of all) each.end();
  expect(await Promise.all([all[0], all[2], all[3]].map(each => each?.answer))).toEqual(['a', 'c', 'd']);
  expect(begun).toEqual(['a', 'b', 'c', 'd']);
});

test('the reads of one user keep no other waiting', async () => {
  const { begun, read } = reads();
  for (const name of ['a', 'b', 'c']) read('mallory', name);
  const other = read('ada', 'other');
  expect(begun).toEqual(['a', 'b', 'other']);
  other.end();
  expect(await other.answer).toBe('other');
});

test('a user whose reads have all ended begins anew', async () => {
  const { begun, read } = reads();
  for (const name of ['a', 'b']) {
    const { answer, end } = read('ada', name);
    end();
    await answer;
  }
  const both = [read('ada', 'c'), read('ada', 'd')];
  expect(begun).toEqual(['a', 'b', 'c', 'd']);
  for (const each of both) each.end();
});
