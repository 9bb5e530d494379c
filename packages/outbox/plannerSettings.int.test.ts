import { connect } from '@segue/database/connection.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { expect, onTestFinished, test } from 'vitest';
import { plannerSettings } from './plannerSettings.ts';

const database = useDatabase();

test('statements of a relay are not compiled, though its settings make their plans look costly', async () => {
  const options = { url: database.url, applicationName: 'test', max: 1, settings: plannerSettings };
  const sql = connect(options);
  onTestFinished(() => sql.end());
  expect(await sql`SHOW jit`).toEqual([{ jit: 'off' }]);
});
