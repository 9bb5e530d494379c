import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { listen } from './listen.ts';
import { createHttpServer } from './server.ts';

/** A server, and the lines that it logs. */
function serverOf(finishWithinMs = 5_000) {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ base: null }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const server = createHttpServer({ logger, hostRule: null, finishWithinMs });
  onTestFinished(() => server.close());
  return { server, lines };
}

const here = { variables: 'RELAY', host: '127.0.0.1', port: 0 } as const;

test('/livez is 200, and an unknown address 404', async () => {
  const { server } = serverOf();
  const alive = await server.inject('/livez');
  expect([alive.statusCode, alive.json()]).toEqual([200, { status: 'alive' }]);
  const unknown = await server.inject('/nothing');
  expect([unknown.statusCode, unknown.json()]).toEqual([404, { error: 'There is nothing at this address.' }]);
});

test('an error answers an id, and its message and stack are in the log under it', async () => {
  const { server, lines } = serverOf();
  server.get('/broken', async () => {
    throw new Error('password hunter2 is wrong');
  });
  const answer = await server.inject('/broken');
  const { requestId } = answer.json();
  expect(answer.statusCode).toBe(500);
  expect(answer.body).not.toMatch(/hunter2|server\.unit/);
  expect(lines).toMatchObject([
    { event: 'request_failed', requestId, error: 'password hunter2 is wrong', stack: expect.any(String) },
  ]);
});

test('a request that is wrong is told why, and nothing is logged', async () => {
  const { server, lines } = serverOf();
  server.post('/echo', async ({ body }) => body);
  const payload = JSON.stringify({ text: 'x'.repeat(200_000) });
  const headers = { 'content-type': 'application/json' };
  const tooLarge = await server.inject({ method: 'POST', url: '/echo', headers, payload });
  expect([tooLarge.statusCode, tooLarge.json()]).toEqual([413, { error: 'Request body is too large' }]);
  const noJson = await server.inject({ method: 'POST', url: '/echo', headers, payload: '{' });
  expect([noJson.statusCode, Object.keys(noJson.json())]).toEqual([400, ['error']]);
  expect(lines).toEqual([]);
});

test('closing answers the request in hand and ends its connection', async () => {
  const { server } = serverOf();
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<string>();
  server.get('/slow', async () => {
    asked.resolve();
    return await answer.promise;
  });
  const closing = Promise.withResolvers<void>();
  server.addHook('preClose', async () => closing.resolve());
  const address = await listen(server, here);
  const inHand = fetch(`${address}/slow`);
  await asked.promise;
  const closed = server.close();
  await closing.promise;
  answer.resolve('done');
  const response = await inHand;
  expect([await response.text(), response.headers.get('connection')]).toEqual(['done', 'close']);
  await closed;
});

test('closing drops a request that is not answered in time', async () => {
  const { server } = serverOf(0);
  const asked = Promise.withResolvers<void>();
  server.get('/never', async () => {
    asked.resolve();
    return await new Promise(() => {});
  });
  const address = await listen(server, here);
  const inHand = fetch(`${address}/never`);
  inHand.catch(() => {});
  await asked.promise;
  await server.close();
  await expect(inHand).rejects.toThrow();
});

test('a port that is taken is named by its variable', async () => {
  const [first, second] = [serverOf().server, serverOf().server];
  const port = Number(new URL(await listen(first, here)).port);
  await expect(listen(second, { ...here, port })).rejects.toThrow(
    `RELAY_PORT ${port} is taken on 127.0.0.1; choose another`,
  );
});

test('an address that is not ours is named by its variable', async () => {
  const { server } = serverOf();
  // 192.0.2.0/24 is nobody's (RFC 5737).
  await expect(listen(server, { variables: 'API', host: '192.0.2.1', port: 0 })).rejects.toThrow(
    'API_HOST 192.0.2.1 is no address of this machine',
  );
});
