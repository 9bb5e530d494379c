import { expect, test } from 'vitest';
import { printable } from './printable.ts';

test.each([
  ['clears the screen', '\u001b[2Jevil', ' [2Jevil'],
  ['names the window', '\u001b]0;owned\u0007evil', ' ]0;owned evil'],
  ['is a control sequence of one byte', 'so \u009b31m what', 'so  31m what'],
  ['tears the line', 'So\r\nWhat', 'So What'],
  ['mirrors what follows', 'Song \u202edaed', 'Song  daed'],
])('what %s is shown as a blank', (_what, text, shown) => expect(printable(text)).toBe(shown));

test.each(['Für Elise', 'שלום', 'مرحبا', '初恋', '👩‍🎤'])('%s stays as it is', text =>
  expect(printable(text)).toBe(text),
);
