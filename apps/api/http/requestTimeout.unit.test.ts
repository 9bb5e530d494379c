import { connect } from 'node:net';
import { listen } from '@segue/http/listen.ts';
import { expect, test } from 'vitest';
import { IngestionScheduler } from '../ingestion/ingestionScheduler.ts';
import { fakeCatalog } from '../test/catalog.ts';
import { loggerInMemory } from '../test/logger.ts';
import { serverOf } from '../test/server.ts';

test('a body that drips is ended by API_REQUEST_TIMEOUT_MS', async () => {
  const { logger } = loggerInMemory();
  const scheduler = new IngestionScheduler({ hint: { give() {} }, logger });
  const library = { database: {} as never, catalog: fakeCatalog(), scheduler, logger };
  const server = await serverOf(library, { limits: { requestTimeoutMs: 200 } });
  const address = await listen(server, { variables: 'API', host: '127.0.0.1', port: 0 });
  const socket = connect(Number(new URL(address).port), '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', chunk => (answer += chunk));
  // The server may close while a byte is on its way; `once` would take that for a failure.
  socket.on('error', () => {});
  socket.write('POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n');
  socket.write('Content-Length: 50000\r\n\r\n');
  const dripping = setInterval(() => socket.write(' '), 10);
  await new Promise(resolve => socket.on('close', resolve));
  clearInterval(dripping);
  expect(answer).toMatch(/^HTTP\/1.1 408 /);
  await server.close();
});
