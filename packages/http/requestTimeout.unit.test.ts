import { connect } from 'node:net';
import { pino } from 'pino';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { listen } from './listen.ts';
import { createHttpServer } from './server.ts';

let port: number;
beforeEach(async () => {
  const server = createHttpServer({
    logger: pino({ enabled: false }),
    hostRule: null,
    requestTimeoutMs: 200,
    finishWithinMs: 0,
  });
  server.post('/echo', async ({ body }) => body);
  server.post('/refused', { onRequest: async (_, reply) => reply.code(401).send({}) }, async () => ({}));
  const address = await listen(server, { variables: 'RELAY', host: '127.0.0.1', port: 0 });
  port = Number(new URL(address).port);
  onTestFinished(() => server.close());
});

const post = (path: string, length: number) =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;

/** Sends the text, then one byte after another until the server ends the connection. Resolves to what it answered. */
async function drip(text: string, byte: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', chunk => (answer += chunk));
  // The server may close while a byte is on its way; `once` would take that for a failure.
  socket.on('error', () => {});
  socket.write(text);
  const dripping = setInterval(() => socket.write(byte), 10);
  if (byte === '') clearInterval(dripping);
  onTestFinished(() => void socket.destroy());
  await new Promise(resolve => socket.on('close', resolve));
  clearInterval(dripping);
  return answer;
}

test('a body that drips is 408, and the connection ends', async () => {
  expect(await drip(post('/echo', 50_000), ' ')).toMatch(/^HTTP\/1.1 408 /);
});

test('a chunked body that drips is 408', async () => {
  const head = post('/echo', 0).replace('Content-Length: 0', 'Transfer-Encoding: chunked');
  expect(await drip(head, '1\r\n \r\n')).toMatch(/^HTTP\/1.1 408 /);
});

test('headers that drip are 408', async () => {
  expect(await drip('GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ', 'x')).toMatch(/^HTTP\/1.1 408 /);
});

test('a connection that sends nothing ends', async () => {
  await drip('', '');
});

test('a body that drips after its request was refused is not read for ever', async () => {
  expect(await drip(post('/refused', 50_000), ' ')).toMatch(/^HTTP\/1.1 401 /);
});

test('a second request that drips is 408, and the first was answered', async () => {
  const answer = await drip(`${post('/echo', 2)}[]${post('/echo', 50_000)}`, ' ');
  expect(answer).toMatch(/^HTTP\/1.1 200 [\s\S]*HTTP\/1.1 408 /);
});
