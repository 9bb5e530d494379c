import { expect, test } from 'vitest';
import { claim } from './claim.ts';
import { release, retryLater } from './release.ts';
import { useOutbox } from './test/outbox.ts';

const outbox = useOutbox();

test('a released row is due again after the delay, and no attempt is counted', async () => {
  const { lease, rows } = await outbox.claimed({ attempts: 2 });
  const id = rows[0]?.id as number;
  expect(await release(outbox.sql, lease, [id], { delayMs: 3_600_000, error: 'Inngest is away' })).toEqual([
    id,
  ]);

  const row = await outbox.row(id);
  expect(row).toMatchObject({
    status: 'pending',
    attempts: 2,
    lease: null,
    last_error: 'Inngest is away',
    settled: false,
  });
  expect(row.due_in_ms).toBeGreaterThan(3_590_000);
  expect(row.due_in_ms).toBeLessThanOrEqual(3_600_000);
});

test('a row that is released without delay can be claimed at once', async () => {
  const { lease, rows } = await outbox.claimed({}, {});
  await release(
    outbox.sql,
    lease,
    rows.map(row => row.id),
    { delayMs: 0 },
  );
  expect((await claim(outbox.sql, { limit: 2, leaseMs: 60_000 })).rows).toEqual(rows);
});

test('a release without an error leaves the last one for people to see', async () => {
  const { lease, rows } = await outbox.claimed({ last_error: 'Inngest was away' });
  const id = rows[0]?.id as number;
  await release(outbox.sql, lease, [id], { delayMs: 0 });
  expect((await outbox.row(id)).last_error).toBe('Inngest was away');
});

test('a refused row waits for its next attempt, and the attempt is counted', async () => {
  const { lease, rows } = await outbox.claimed({ attempts: 2 });
  const id = rows[0]?.id as number;
  expect(await retryLater(outbox.sql, lease, id, { delayMs: 3_600_000, error: 'refused' })).toBe(true);

  const row = await outbox.row(id);
  expect(row).toMatchObject({ status: 'pending', attempts: 3, lease: null, last_error: 'refused' });
  expect(row.due_in_ms).toBeGreaterThan(3_590_000);
  expect((await claim(outbox.sql, { limit: 1, leaseMs: 60_000 })).rows).toEqual([]);
});
