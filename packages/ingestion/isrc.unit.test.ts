import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isIsrc, normaliseIsrc, readIsrc } from './isrc.ts';

test('usrc12345678 normalises to USRC12345678', () => {
  expect(normaliseIsrc('usrc12345678')).toBe('USRC12345678');
  expect(readIsrc('usrc12345678')).toEqual({ isrc: 'USRC12345678' });
});

test.each([
  ['as labels print it', 'US-RC1-76-07839'],
  ['in groups', 'us rc1 76 07839'],
  ['with space around', ' \t\r\nUSRC17607839 \n'],
  ['with a hyphen from a typeset page', 'US\u2010RC1\u201076\u201007839'],
  ['with non-breaking hyphens and spaces', 'US\u2011RC1\u00a076\u202f07839'],
  ['with a byte order mark', '\ufeffUSRC17607839'],
  ['mixed', 'uS-Rc1 76\u201107839'],
  ['with zero-width characters', '\u200bUSRC\u200c176\u200d0783\u20609\u00ad\u200e'],
  ['with its label', 'ISRC US-RC1-76-07839'],
  ['with its label and a colon', 'isrc: US-RC1-76-07839'],
  ['with its label and a zero-width space', 'ISRC\u200b:\u200bUSRC17607839'],
])('an ISRC %s is read', (_, spelling) => {
  expect(readIsrc(spelling)).toEqual({ isrc: 'USRC17607839' });
});

test.each([undefined, null, '', ' ', '-', ' \u2010\u2011 \ufeff'])('%j is a missing ISRC', text => {
  expect(readIsrc(text)).toEqual({ problem: 'missing_isrc' });
});

describe('an invalid ISRC stays invalid', () => {
  test.each([
    ['too short', 'USRC1760783'],
    ['too long', 'USRC176078390'],
    ['an en dash is no hyphen', 'US\u2013RC1\u201376\u201307839'],
    ['a minus sign is no hyphen', 'US\u2212RC17607839'],
    ['a label before eleven characters', 'ISRC USRC1760783'],
    ['a label before thirteen characters', 'ISRC USRC176078390'],
    ['two colons', 'ISRC:: USRC17607839'],
    ['another label', 'CODE USRC17607839'],
    // Each of these becomes ASCII, or gains a letter, under toUpperCase() or an ignore-case expression.
    ['dotless i', 'usrc\u01317607839'],
    ['long s', 'u\u017frc17607839'],
    ['sharp s', '\u00dfrc17607839'],
    ['Kelvin sign', '\u212aSRC17607839'],
    ['ligature', '\ufb01rc17607839'],
    ['full-width letters', '\uff35\uff33\uff32\uff2317607839'],
    ['Arabic digits', 'USRC1760783\u0669'],
    ['Cyrillic С', 'USR\u042117607839'],
    ['a line after it', 'USRC17607839\nUSRC17607839'],
  ])('%s', (_, text) => {
    expect(readIsrc(text)).toEqual({ problem: 'invalid_isrc' });
  });
});

test.each(['ISRC12345678', 'isrc-1234-5678', 'ISRC ISRC12345678', 'ISRC: isrc12345678'])(
  '%s is a code that begins with ISRC',
  text => {
    expect(readIsrc(text)).toEqual({ isrc: 'ISRC12345678' });
  },
);

test('isIsrc takes the canonical spelling alone', () => {
  expect(isIsrc('USRC17607839')).toBe(true);
  for (const text of ['usrc17607839', ' USRC17607839', 'USRC17607839\n', 'US-RC1-76-07839', '']) {
    expect(isIsrc(text)).toBe(false);
  }
});

const canonical = fc.stringMatching(/^[A-Z0-9]{12}$/);
const separator = fc.constantFrom('', '-', ' ', '\u00a0', '\u2010', '\u2011', '\n', '\u200b', '\ufeff');

test('however a valid ISRC is separated and cased, it is read as itself', () => {
  const spelling = canonical.chain(isrc =>
    fc.record({
      isrc: fc.constant(isrc),
      written: fc
        .tuple(...[...isrc].map(letter => fc.tuple(separator, fc.constantFrom(letter, letter.toLowerCase()))))
        .map(parts => parts.flat().join('')),
    }),
  );
  fc.assert(
    fc.property(spelling, ({ isrc, written }) => {
      expect(readIsrc(written)).toEqual({ isrc });
    }),
  );
});

test('normalising twice changes nothing more, and no text makes it throw', () => {
  const unit = fc.integer({ min: 0, max: 0xffff }).map(code => String.fromCharCode(code));
  fc.assert(
    fc.property(fc.string({ unit }), text => {
      const once = normaliseIsrc(text);
      expect(normaliseIsrc(once)).toBe(once);
    }),
  );
});
