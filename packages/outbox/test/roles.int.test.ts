import { connect, type Sql } from '@segue/database/connection.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readForced } from '../readOpen.ts';
import { deleteClosedBatches, deleteSettled } from '../retain.ts';
import { forgetRelays } from '../slots.ts';
import { enqueue, enqueueAlbum, newRequest, outcomeOf, TestRelay } from './outbox.ts';

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

  const owner = new TestRelay(relay);
  await owner.beat();
  const rows = await owner.read();
  expect(rows).toHaveLength(7);
  expect(await readForced(relay, rows)).toEqual([]);

  const outcomes = ['sent', 'duplicate', 'indexed', 'dead', 'refused', 'sent', 'sent'] as const;
  const settlement = await owner.settle(
    rows.map((row, place) =>
      outcomeOf(row, { as: outcomes[place] as (typeof outcomes)[number], delayMs: 0, error: 'too large' }),
    ),
  );
  expect(settlement).toMatchObject({ lostSlots: [], unchanged: [] });

  expect(await deleteSettled(relay, { olderThanMs: -1_000, after: null })).toMatchObject({ deleted: 6 });
  expect(await deleteClosedBatches(relay, { olderThanMs: -1_000 })).toBe(0);
  await forgetRelays(relay, { olderThanMs: 0 });
});
