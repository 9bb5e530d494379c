import { useDatabase } from '@segue/testing/database.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { expect, onTestFinished, test } from 'vitest';
import { keepHeartbeat } from './heartbeat.ts';

const database = useDatabase();

test('a relay is in the list while it runs, with what it can do, and has stopped afterwards', async () => {
  const states = async () => {
    const rows = await database.sql`SELECT state, host <> '' AS named FROM relays ORDER BY since`;
    return rows.map(({ state, named }) => (named ? state : 'without a name'));
  };
  const stop = keepHeartbeat(database.sql, { isHeldBack: false });
  const stopHeldBack = keepHeartbeat(database.sql, { isHeldBack: true });
  onTestFinished(async () => {
    await Promise.all([stop(), stopHeldBack()]);
  });
  await eventually(async () => expect((await states()).sort()).toEqual(['held_back', 'running']));
  await Promise.all([stop(), stopHeldBack()]);
  expect(await states()).toEqual(['stopped', 'stopped']);
});
