import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { styled } from './style.ts';

const stream = (isTTY: boolean) => Object.assign(new PassThrough(), { isTTY });

test('a text is coloured at a terminal', () => {
  expect(styled('red', 'dead', { stream: stream(true), environment: {} })).toBe('\u001b[31mdead\u001b[39m');
});

test.each([
  ['in a pipe', false, {}],
  ['with NO_COLOR', true, { NO_COLOR: '1' }],
  ['at a dumb terminal', true, { TERM: 'dumb' }],
])('a text stays plain %s', (_where, isTTY, environment) => {
  expect(styled('red', 'dead', { stream: stream(isTTY), environment })).toBe('dead');
});

test('an empty NO_COLOR counts as not set', () => {
  expect(styled('red', 'dead', { stream: stream(true), environment: { NO_COLOR: '' } })).not.toBe('dead');
});
