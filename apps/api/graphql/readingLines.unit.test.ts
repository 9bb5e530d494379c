import { expect, test } from 'vitest';
import { ReadingLines } from './readingLines.ts';

/** Reads that end when they are told to, and what has begun so far. */
function reads() {
  const lines = new ReadingLines();
  const begun: string[] = [];
  return {
    async begun() {
      await new Promise(resolve => setImmediate(resolve));
      return begun;
    },
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

test('two reads of a user run at a time, the others in the order of asking, and one that fails spoils no other', async () => {
  const { begun, read } = reads();
  const all = ['a', 'b', 'c', 'd'].map(name => read('mallory', name));
  expect(await begun()).toEqual(['a', 'b']);

  all[1]?.fail();
  await expect(all[1]?.answer).rejects.toThrow('b');
  expect(await begun()).toEqual(['a', 'b', 'c']);

  for (const each of all) each.end();
  expect(await Promise.all([all[0], all[2], all[3]].map(each => each?.answer))).toEqual(['a', 'c', 'd']);
  expect(await begun()).toEqual(['a', 'b', 'c', 'd']);
});

test('the reads of one user keep no other waiting', async () => {
  const { begun, read } = reads();
  for (const name of ['a', 'b', 'c']) read('mallory', name);
  const other = read('ada', 'other');
  expect(await begun()).toEqual(['a', 'b', 'other']);
  other.end();
  expect(await other.answer).toBe('other');
});

test('three reads run at a time, and users take turns for the next', async () => {
  const { begun, read } = reads();
  const ofAda = ['a1', 'a2', 'a3', 'a4'].map(name => read('ada', name));
  const ofEve = ['e1', 'e2', 'e3', 'e4'].map(name => read('eve', name));
  const others = ['x', 'y'].map(name => read(name, name));
  expect(await begun()).toEqual(['a1', 'a2', 'e1']);

  ofAda[0]?.end();
  expect(await begun()).toEqual(['a1', 'a2', 'e1', 'a3']);
  ofAda[1]?.end();
  expect(await begun()).toEqual(['a1', 'a2', 'e1', 'a3', 'e2']);
  ofEve[0]?.end();
  expect(await begun()).toEqual(['a1', 'a2', 'e1', 'a3', 'e2', 'x']);
  ofAda[2]?.end();
  expect(await begun()).toEqual(['a1', 'a2', 'e1', 'a3', 'e2', 'x', 'y']);
  const all = [...ofAda, ...ofEve, ...others];
  for (const each of all) each.end();
  await Promise.all(all.map(each => each.answer));
  expect((await begun()).toSorted()).toEqual(['a1', 'a2', 'a3', 'a4', 'e1', 'e2', 'e3', 'e4', 'x', 'y']);
});

test('a user whose reads have all ended begins anew', async () => {
  const { begun, read } = reads();
  for (const name of ['a', 'b']) {
    const { answer, end } = read('ada', name);
    end();
    await answer;
  }
  const both = [read('ada', 'c'), read('ada', 'd')];
  expect(await begun()).toEqual(['a', 'b', 'c', 'd']);
  for (const each of both) each.end();
});
