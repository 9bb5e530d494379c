import { expect, test } from 'vitest';
import { createLookup } from './lookup.ts';
import { createTestClock } from './test/clock.ts';

function lookupOf({ maxSize = 10 } = {}) {
  const clock = createTestClock();
  clock.advance(1);
  const asked: string[] = [];
  const lookup = createLookup({ maxSize, keepMs: 1000, clock });
  const find = (key: string, size: number | null = 1) =>
    lookup.find(
      key,
      async () => {
        asked.push(key);
        return { key };
      },
      () => size,
    );
  return { clock, asked, lookup, find };
}

test('who asks at the same time shares one answer', async () => {
  const { find, asked } = lookupOf();
  const answers = await Promise.all(Array.from({ length: 50 }, () => find('track 1', null)));
  expect(new Set(answers).size).toBe(1);
  expect(asked).toEqual(['track 1']);
});

test('an answer serves until it is too old', async () => {
  const { find, asked, clock } = lookupOf();
  await find('track 1');
  clock.advance(1000);
  await find('track 1');
  expect(asked).toHaveLength(1);
  clock.advance(1);
  await find('track 1');
  expect(asked).toHaveLength(2);
});

test('the least recently used answers make way for others', async () => {
  const { find, asked } = lookupOf({ maxSize: 10 });
  await find('album 1', 4);
  await find('album 2', 4);
  await find('album 1', 4);
  await find('album 3', 4);
  await find('album 1', 4);
  expect(asked).toEqual(['album 1', 'album 2', 'album 3']);
  await find('album 2', 4);
  expect(asked).toHaveLength(4);
});

test('an answer that is larger than the memory is not remembered', async () => {
  const { find, asked } = lookupOf({ maxSize: 10 });
  await find('listing 1', 11);
  await find('listing 1', 11);
  expect(asked).toHaveLength(2);
});

test('a failure is shared by those who wait for it, and asked anew by others', async () => {
  const { lookup } = lookupOf();
  let attempts = 0;
  const fail = () =>
    lookup.find(
      'track 1',
      () => Promise.reject(new Error(`attempt ${++attempts}`)),
      () => 1,
    );
  const together = await Promise.allSettled([fail(), fail()]);
  expect(together.map(result => result.status)).toEqual(['rejected', 'rejected']);
  await expect(fail()).rejects.toThrow('attempt 2');
});

test('nothing, and what is of no lasting worth, is not remembered', async () => {
  const { lookup, find, asked } = lookupOf();
  let attempts = 0;
  const nothing = () =>
    lookup.find(
      'track 404',
      async () => {
        attempts++;
        return null;
      },
      () => 1,
    );
  expect([await nothing(), await nothing()]).toEqual([null, null]);
  expect(attempts).toBe(2);
  await find('listing 1', null);
  await find('listing 1', null);
  expect(asked).toEqual(['listing 1', 'listing 1']);
});
