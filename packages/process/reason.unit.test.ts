import { expect, test } from 'vitest';
import { reasonOf } from './reason.ts';

/** What `fetch` throws where nobody listens on either of two addresses: the outer message helps nobody. */
function refusedOverBothFamilies(): Error {
  const attempts = ['connect ECONNREFUSED ::1:8288', 'connect ECONNREFUSED 127.0.0.1:8288'];
  return new TypeError('fetch failed', {
    cause: new AggregateError(attempts.map(message => new Error(message))),
  });
}

test.each<[string, unknown, string]>([
  ['an error', new Error('no space left'), 'no space left'],
  [
    'its cause',
    new Error('fetch failed', { cause: new Error('socket hang up') }),
    'fetch failed: socket hang up',
  ],
  [
    'what Node says of two addresses',
    refusedOverBothFamilies(),
    'fetch failed: connect ECONNREFUSED ::1:8288, connect ECONNREFUSED 127.0.0.1:8288',
  ],
  ['an error without a message', Object.assign(new Error(), { code: 'ECONNRESET' }), 'ECONNRESET'],
  ['an error without anything', new RangeError(), 'RangeError'],
  ['a cause that says the same', new Error('a: b', { cause: new Error('b') }), 'a: b'],
  ['more than one line', new Error('first\n  second'), 'first second'],
  ['a text', 'just a text', 'just a text'],
  ['a cause that is a text', new Error('failed', { cause: 'why' }), 'failed: why'],
  ['nothing', undefined, 'unknown error'],
  ['null', null, 'unknown error'],
])('%s', (_, error, reason) => {
  expect(reasonOf(error)).toBe(reason);
});

test('a cause that is its own cause is told once', () => {
  const error = new Error('round');
  error.cause = error;
  expect(reasonOf(error)).toBe('round');
});
