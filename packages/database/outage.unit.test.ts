import { expect, test } from 'vitest';
import { isConflict, isOutage } from './outage.ts';

const withCode = (code: string) => Object.assign(new Error('failed'), { code });

test.each([
  'ECONNREFUSED',
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  '08006',
  '53300',
  '57P01',
  '57P03',
  '25006',
])('%s says that the database is away', code => {
  expect(isOutage(withCode(code))).toBe(true);
  expect(isOutage(new Error('Failed query', { cause: withCode(code) }))).toBe(true);
});

test.each(['23505', '42601', '28P01', '57014'])('%s says that something else is wrong', code => {
  expect(isOutage(withCode(code))).toBe(false);
});

test.each(['40001', '40P01', '55P03'])(
  '%s says that another transaction was in the way, which is no outage',
  code => {
    expect([isConflict(withCode(code)), isOutage(withCode(code))]).toEqual([true, false]);
  },
);

test.each(['23505', '57P01', 'ECONNRESET'])('%s is no such conflict', code => {
  expect(isConflict(withCode(code))).toBe(false);
});

test('what has no code is no outage', () => {
  expect(isOutage(new TypeError('undefined is not a function'))).toBe(false);
  expect(isOutage('away')).toBe(false);
});
