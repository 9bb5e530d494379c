import { expect, test } from 'vitest';
import { maxEventBytes, readEvents } from './eventStream.ts';

/** What could be read, and what was said of the rest. */
function read(body: string) {
  const events: unknown[] = [];
  try {
    for (const event of readEvents(Buffer.from(body))) events.push(event);
  } catch (error) {
    return { events, error: (error as Error).message };
  }
  return { events };
}

const shape = 'Request body must contain an event object or an array of event objects';

test.each<[string, ReturnType<typeof read>]>([
  ['{"name":"a"}', { events: [{ name: 'a' }] }],
  ['[{"name":"a"},{"name":"b"}]', { events: [{ name: 'a' }, { name: 'b' }] }],
  ['[]', { events: [] }],
  ['', { events: [] }],
  ['  ', { events: [] }],
  ['"a"', { events: [], error: shape }],
  ['null', { events: [], error: shape }],
  ['nonsense', { events: [], error: shape }],
  // As Go's decoder has it: what follows the array's end is never looked at, nor is the end itself.
  ['[{"a":1}', { events: [{ a: 1 }] }],
  ['[{"a":1}] and more', { events: [{ a: 1 }] }],
  ['[{"a":"]}\\""} , [2], 3 ]x', { events: [{ a: ']}"' }, [2], 3] }],
  ['[{"a":1} {"a":2}]', { events: [{ a: 1 }], error: 'expected comma after array element' }],
  ['[{"a":1},{"a":', { events: [{ a: 1 }], error: 'unexpected EOF' }],
  ['[{"a":1},{"a":"', { events: [{ a: 1 }], error: 'unexpected EOF' }],
])('%s', (body, expected) => {
  expect(read(body)).toEqual(expected);
});

test.each(['[{"a":1},]', '[{"a":1},', '[{"a":1},{a:2},{"a":3}]', '[{"a":1},nonsense,{"a":3}]'])(
  '%s: the event before the malformed one is read, those after it are not',
  body => {
    expect(read(body)).toEqual({ events: [{ a: 1 }], error: expect.stringMatching(/JSON/) });
  },
);

test('a lone event with something after it is malformed', () => {
  expect(read('{"a":1} x')).toEqual({ events: [], error: expect.stringMatching(/JSON/) });
});

test('5,000 events are read, and a request of more is refused after them', () => {
  expect(read(JSON.stringify(Array(5_000).fill({})))).toEqual({ events: Array(5_000).fill({}) });
  const { events, error } = read(JSON.stringify(Array(5_001).fill({})));
  expect(events).toHaveLength(5_000);
  expect(error).toBe('Cannot have more than 5000 events in a batch');
});

test('5,001 events are refused in a malformed or large body, too', () => {
  const { events, error } = read(`${JSON.stringify(Array(5_001).fill({}))}x`);
  expect(events).toHaveLength(5_000);
  expect(error).toBe('Cannot have more than 5000 events in a batch');
});

test('an event may have 3 MiB and not a byte more, alone or in a batch that is larger', () => {
  const largest = JSON.stringify('x'.repeat(maxEventBytes - 2 - '{"a":}'.length));
  const event = `{"a":${largest}}`;
  expect(read(event).events).toHaveLength(1);
  expect(read(`[${event},${event}]`).events).toHaveLength(2);

  const size = `Event is over the max size: Max ${maxEventBytes} bytes / Size ${maxEventBytes + 1} bytes`;
  expect(read(`${event} `)).toEqual({ events: [], error: size });
  expect(read(`[{"b":1},{"a": ${largest}},{"b":2}]`)).toEqual({ events: [{ b: 1 }], error: size });
});
