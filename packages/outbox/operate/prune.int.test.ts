import { expect, test } from 'vitest';
import { useOutbox } from '../test/outbox.ts';
import { countPrunable } from './prune.ts';

const outbox = useOutbox();
const ago = (days: number) => new Date(Date.now() - days * 86_400_000);
const settled = (days: number) => ({ status: 'scheduled', created_at: ago(days), settled_at: ago(days) });
const open = (days: number) => ({ created_at: ago(days) });
const count = (bound: number) => countPrunable(outbox.sql, { olderThanMs: 7 * 86_400_000, bound });

test.each([
  ['all', [settled(9), settled(8), settled(1)], 5, { count: 2, more: false }],
  ['as many as were looked at', [settled(9), settled(8), settled(8)], 2, { count: 2, more: true }],
  ['some beside an open one', [open(9), settled(9), settled(8), settled(8)], 3, { count: 2, more: true }],
  ['none of those that were looked at', [open(9), open(9), settled(8)], 2, { count: 0, more: true }],
  ['none behind young requests', [settled(9), settled(1), settled(1)], 2, { count: 1, more: false }],
  ['none at all', [], 2, { count: 0, more: false }],
])('what a deletion would find is counted up to a bound: %s', async (_, rows, bound, counted) => {
  await outbox.store(...rows);
  expect(await count(bound)).toEqual(counted);
});
