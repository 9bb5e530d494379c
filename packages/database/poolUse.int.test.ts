import { createMeter } from '@segue/telemetry/metrics/meter.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from './connection.ts';
import { showPoolUse } from './poolUse.ts';

const database = useDatabase();

test('the use of a pool is told: connections in use and idle, and statements that wait for one', async () => {
  const sql = connect({ url: database.url, applicationName: 'pool', max: 2 });
  onTestFinished(() => sql.end());
  const meter = createMeter('api');
  showPoolUse(meter, 'api', sql);
  const use = async () => {
    const text = await meter.text();
    return [
      'connections{pool="api",state="in_use"}',
      'connections{pool="api",state="idle"}',
      'waiting_statements{pool="api"}',
    ].map(name => Number(text.split(`segue_database_pool_${name} `)[1]?.split('\n')[0]));
  };
  expect(await use()).toEqual([0, 0, 0]);

  const end = Promise.withResolvers<void>();
  const began = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const transactions = began.map(({ resolve }) =>
    sql.begin(async transaction => {
      await transaction`SELECT`;
      resolve();
      await end.promise;
    }),
  );
  await Promise.all(began.map(({ promise }) => promise));
  const waiting = sql`SELECT`.execute();
  await eventually(async () => expect(await use()).toEqual([2, 0, 1]));
  end.resolve();
  await Promise.all([...transactions, waiting]);
  await eventually(async () => expect(await use()).toEqual([0, 2, 0]));
});
