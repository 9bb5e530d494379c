import { expect, test } from 'vitest';
import { fullTitle, optionalText, text } from './text.ts';

test('NUL characters are removed, and lone surrogates replaced, since PostgreSQL refuses both', () => {
  expect(text.parse('Be\0yoncé\0')).toBe('Beyoncé');
  expect(text.parse('half \ud83c')).toBe('half \ufffd');
  expect(text.parse('🎵')).toBe('🎵');
});

test.each([undefined, null, '', '  ', '\0', 7, { text: 'an object' }])('optional text %j is null', value => {
  expect(optionalText.parse(value)).toBeNull();
});

test('optional text keeps its spelling', () => {
  expect(optionalText.parse(' us-rc1 ')).toBe(' us-rc1 ');
});

test.each([
  ['Smile', 'feat. Gloria Carter', 'Smile (feat. Gloria Carter)'],
  ['Smile', ' Live ', 'Smile (Live)'],
  ['Smile (feat. Gloria Carter)', 'feat. Gloria Carter', 'Smile (feat. Gloria Carter)'],
  ['Live Forever', 'Live', 'Live Forever (Live)'],
  ['Remix to Ignition', 'Remix', 'Remix to Ignition (Remix)'],
  ['So What (Live)', 'Live', 'So What (Live)'],
  ['So What [live] ', 'Live', 'So What [live] '],
  ['Live (Live) Forever', 'Live', 'Live (Live) Forever (Live)'],
  ['Not Live)', 'Live', 'Not Live) (Live)'],
  ['Smile', null, 'Smile'],
  ['Smile', '', 'Smile'],
  ['', 'Live', ''],
  ['  ', 'Live', '  '],
])('title %j with version %j is shown as %j', (title, version, shown) => {
  expect(fullTitle({ title, version })).toBe(shown);
});
