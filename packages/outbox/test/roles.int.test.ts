import { connect, type Sql } from '@segue/database/connection.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { claim } from '../claim.ts';
import { release, retryLater } from '../release.ts';
import { deleteClosedBatches, deleteSettled } from '../retain.ts';
import { settle, settleDead } from '../settle.ts';
import { take } from '../take.ts';
import {
  asDuplicates,
  asIndexed,
  asScheduled,
  enqueue,
  enqueueAlbum,
  newRequest,
  windowMs,
} from './outbox.ts';

// What each role may not do is tested beside the migration that makes them, in packages/database.

const database = useDatabase();
let api: Sql;
let relay: Sql;
beforeAll(() => {
  const as = (role: string) =>
    connect({ url: database.url, applicationName: `segue-test-${role}`, max: 1, settings: { role } });
  api = as('segue_api');
  relay = as('segue_relay');
});
afterAll(async () => {
  await Promise.all([api.end(), relay.end()]);
});

test('every statement of the outbox is allowed to the one whose statement it is', async () => {
  expect(await api`SELECT current_user`).toEqual([{ current_user: 'segue_api' }]);
  expect(await relay`SELECT current_user`).toEqual([{ current_user: 'segue_relay' }]);

  const again = newRequest();
  await enqueueAlbum(api, [again, ...Array.from({ length: 5 }, () => newRequest())]);
  await enqueue(api, { ...again, isrc: 'us-rc1 76-07839' as typeof again.isrc });

  const { lease, rows } = await claim(relay, { limit: 100, leaseMs: 60_000 });
  expect(rows).toHaveLength(7);
  await take(relay, lease, rows, { dedupeWindowMs: windowMs });
  // The second time the ledger knows the recordings, which is another statement.
  await take(relay, lease, rows, { dedupeWindowMs: windowMs });

  const ids = rows.map(row => row.id) as [number, number, number, number, number, number, number];
  const once = async (settling: Promise<{ ids: number[] }>) => expect((await settling).ids).toHaveLength(1);
  await once(settle(relay, lease, asScheduled([ids[0]], 1)));
  await once(settle(relay, lease, asDuplicates([ids[1]])));
  await once(settle(relay, lease, asIndexed([ids[2]], { unsent: true })));
  await once(
    settleDead(relay, lease, { id: ids[3], reason: 'event too large' }, { dedupeWindowMs: windowMs }),
  );
  expect(await release(relay, lease, [ids[4]], { delayMs: 0 })).toEqual([ids[4]]);
  expect(await retryLater(relay, lease, ids[5], { delayMs: 0, error: 'event too large' })).toBe(true);

  expect(await deleteSettled(relay, { olderThanMs: -1_000, after: 0 })).toMatchObject({ deleted: 4 });
  expect(await deleteClosedBatches(relay, { olderThanMs: -1_000 })).toBe(0);
});
