import { expect, test } from 'vitest';
import { eventIds, readSeed, runIdOf } from './eventIds.ts';

const ulid = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
/** The specification's decoding: the value of a ULID's 26 digits. */
const decoded = (text: string) =>
  [...text].reduce((sum, digit) => sum * 32n + BigInt('0123456789ABCDEFGHJKMNPQRSTVWXYZ'.indexOf(digit)), 0n);

test('ids are made from the seed, the place added to its last four bytes', () => {
  const entropy = Buffer.from('000102030405060708ff', 'hex');
  const idAt = eventIds(readSeed(`1743130137367,${entropy.toString('base64')}`));
  expect(decoded(idAt(1))).toBe((1743130137367n << 80n) + 0x00010203040506070900n);
  expect(decoded(idAt(257))).toBe((1743130137367n << 80n) + 0x00010203040506070a00n);
});

test('the count wraps round within its four bytes', () => {
  const idAt = eventIds({ millis: 1, entropy: Buffer.from('000102030405ffffffff', 'hex') });
  expect(decoded(idAt(1))).toBe((1n << 80n) + 0x00010203040500000000n);
});

test.each([undefined, '', 'abc', '0,eii2YKXRVTJPuA==', '1743130137367,short', '1,eii2YKXRVTJPuA==,2'])(
  'without a usable seed (%s) the ids are new',
  header => {
    const before = Date.now();
    const { millis } = readSeed(header);
    expect(millis).toBeGreaterThanOrEqual(before);
    const [one, other] = [eventIds(readSeed(header))(1), eventIds(readSeed(header))(1)];
    expect(one).toMatch(ulid);
    expect(one).not.toBe(other);
  },
);

test('a run has an id of its own, always the same', () => {
  const id = eventIds(readSeed(undefined))(1);
  expect(runIdOf(id)).toMatch(ulid);
  expect(runIdOf(id)).not.toBe(id);
  expect(runIdOf(id)).toBe(runIdOf(id));
});
