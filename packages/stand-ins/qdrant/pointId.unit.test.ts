import { expect, test } from 'vitest';
import { readPointId } from './pointId.ts';

const uuid = '5fd78b1e-0573-3677-91d0-56197cc6f1f7';

test.each([uuid, uuid.toUpperCase(), uuid.replaceAll('-', ''), `urn:uuid:${uuid}`, `{${uuid}}`])(
  '%s is a UUID',
  raw => {
    expect(readPointId(raw)).toBe(uuid);
  },
);

test.each([0, 42])('%d is an id', raw => {
  expect(readPointId(raw)).toBe(raw);
});

test.each([
  -1,
  1.5,
  '42',
  '',
  'USRC17607839',
  uuid.slice(1),
  `${uuid}0`,
  `{${uuid.replaceAll('-', '')}}`,
  `urn:uuid:${uuid.replaceAll('-', '')}`,
  null,
  undefined,
  {},
])('%j is none', raw => {
  expect(readPointId(raw)).toBeNull();
});
