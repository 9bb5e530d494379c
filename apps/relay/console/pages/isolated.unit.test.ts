import { expect, test } from 'vitest';
import { isolatedText } from './isolated.ts';

test.each(['So What', 'Für Elise', '初恋', 'Привет'])('%s turns nothing around, and stays as it is', text =>
  expect(isolatedText(text)).toBe(text),
);

test.each(['שלום', 'مرحبا', 'Song \u202edaed', 'a\u200fb', '\u{1e900}'])('%s is isolated', text =>
  expect(isolatedText(text)).toBe(`\u2068${text}\u2069`),
);

test('what would end the isolation early is taken out', () =>
  expect(isolatedText('Song \u2069\u202edaed\u2029')).toBe('\u2068Song \u202edaed \u2069'));
