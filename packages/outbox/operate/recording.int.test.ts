import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { holdReconciliation, sendAnew } from '../reconcile.ts';
import { newIsrc, TestRelay, useOutbox } from '../test/outbox.ts';
import { readRecording } from './recording.ts';

const outbox = useOutbox();

test('a recording is held by the relay that owns its slot, since it took the slot', async () => {
  const isrc = newIsrc();
  await outbox.store({ isrc });
  expect(await readRecording(outbox.sql, isrc)).toMatchObject({ holder: null });

  const relay = new TestRelay(outbox.sql);
  await relay.beat();
  const taken = await readRecording(outbox.sql, isrc);
  expect(taken).toMatchObject({ holder: { host: 'here', takenAt: expect.any(Date), leaseEnded: false } });
  await relay.beat();
  expect((await readRecording(outbox.sql, isrc))?.holder).toEqual(taken?.holder);

  await outbox.sql`UPDATE relay_slots SET lease_end = now() - interval '1 second'`;
  expect(await readRecording(outbox.sql, isrc)).toMatchObject({ holder: { leaseEnded: true } });
  const next = new TestRelay(outbox.sql);
  await next.beat({ host: 'there' });
  const { holder } = (await readRecording(outbox.sql, isrc)) ?? {};
  expect(holder).toMatchObject({ host: 'there', leaseEnded: false });
  expect(holder?.takenAt?.getTime()).toBeGreaterThan(taken?.holder?.takenAt?.getTime() as number);
});

test('a recording that was lost says how often it was requested anew, and by which request last', async () => {
  const isrc = newIsrc();
  const sentAt = new Date(Date.now() - 30 * 3_600_000);
  const [id] = await outbox.store({
    isrc,
    status: 'scheduled',
    generation: 1,
    created_at: sentAt,
    settled_at: sentAt,
  });
  await outbox.sql`INSERT INTO ingestion_ledger ${outbox.sql({ isrc, outbox_id: id, generation: 1, sent_at: sentAt })}`;
  expect(await readRecording(outbox.sql, isrc)).toMatchObject({ lost: null });

  const holder = randomUUID();
  await holdReconciliation(outbox.sql, { holder, leaseMs: 30_000 });
  const found = [{ id: String(id), isrc, sentAtMs: sentAt.getTime(), isDue: true }];
  await sendAnew(outbox.sql, found, { holder, afterMs: 1_000, limit: 3, perMinute: 10 });
  const story = await readRecording(outbox.sql, isrc);
  expect(story?.lost).toEqual({ times: 1, lastAt: story?.requests[1]?.requested_at });
});
