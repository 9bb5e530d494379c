import { createServer } from 'node:net';
import { useDatabase } from '@segue/testing/database.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from './connection.ts';

// Without the patch of postgres.js (`patches/`) each of these ends the process with an error that nobody can catch; vitest reports it.

const database = useDatabase();

test('a transaction that loses its connection is rejected, and the pool goes on', async () => {
  const transaction = database.sql.begin(async sql => {
    await sql`SELECT pg_terminate_backend(pg_backend_pid())`;
  });
  await expect(transaction).rejects.toThrow();
  // The stray write came with the next turn of the event loop.
  await new Promise(resolve => setImmediate(resolve));

  expect(await database.sql`SELECT 1 AS one`).toEqual([{ one: 1 }]);
});

test('a connection that breaks while it opens is an error of the query that waits for it', async () => {
  let connections = 0;
  // Says yes to the start-up message and hangs up at the first query, which asks for the types.
  const server = createServer(socket => {
    connections += 1;
    socket.once('data', () => {
      const ready = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]);
      socket.write(ready);
      socket.once('data', () => socket.end());
    });
    socket.on('error', () => undefined);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const sql = connect({ url: `postgres://segue@127.0.0.1:${port}/segue`, applicationName: 'test', max: 1 });
  const answer = sql`SELECT ${['one']}::text[]`.then(
    () => 'answered',
    () => 'rejected',
  );

  await eventually(() => expect(connections).toBeGreaterThan(1));
  await sql.end({ timeout: 0 });
  expect(await answer).toBe('rejected');
});
