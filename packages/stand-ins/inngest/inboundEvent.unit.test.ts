import { expect, test } from 'vitest';
import { readInbound } from './inboundEvent.ts';

const now = Date.UTC(2026, 0, 1);

test('an event comes in with its defaults, and without what is internal', () => {
  expect(readInbound({ name: 'a', data: { n: 1, _inngest: {} } }, now)).toEqual({
    id: '',
    name: 'a',
    data: { n: 1 },
    ts: now,
  });
  const full = { id: 'x', name: 'a', data: {}, ts: now + 1, v: '2', user: { id: 'u' } };
  expect(readInbound(full, now)).toEqual(full);
  expect(readInbound({ id: null, name: 'a', data: null, ts: 0, v: null }, now)).toEqual({
    id: '',
    name: 'a',
    data: null,
    ts: now,
  });
});

test.each<[unknown, string]>([
  [{ name: '' }, 'event name is empty'],
  [null, 'event name is empty'],
  [{ name: 'Inngest/x' }, 'event name is reserved for internal use: Inngest/x'],
  [{ name: 'a', ts: 1_700_000_000 }, 'timestamp is before Jan 1, 1980'],
  [{ name: 'a', ts: Date.UTC(2100, 0, 2) }, 'timestamp is after Jan 1, 2100'],
  [{ name: 'a', ts: 1.5 }, 'json: cannot unmarshal number 1.5 into Go struct field raw.ts of type int64'],
  [{ name: 'a', ts: '1' }, 'json: cannot unmarshal string into Go struct field raw.ts of type int64'],
  [{ name: 1 }, 'json: cannot unmarshal number into Go struct field raw.name of type string'],
  [{ name: 'a', id: true }, 'json: cannot unmarshal bool into Go struct field raw.id of type string'],
  [
    { name: 'a', data: [] },
    'json: cannot unmarshal array into Go struct field raw.data of type map[string]interface {}',
  ],
  ['a', 'json: cannot unmarshal string into Go value of type event.raw'],
])('%j is refused', (raw, problem) => {
  expect(() => readInbound(raw, now)).toThrow(problem);
});
