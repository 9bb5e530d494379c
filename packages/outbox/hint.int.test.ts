import { useDatabase } from '@segue/testing/database.ts';
import { expect, test } from 'vitest';
import { hint, hintChannel } from './hint.ts';

const database = useDatabase();

test('a hint reaches who listens, and says nothing', async () => {
  const heard = Promise.withResolvers<string>();
  const listening = await database.sql.listen(hintChannel, heard.resolve);
  await hint(database.sql);

  expect(await heard.promise).toBe('');
  await listening.unlisten();
});
