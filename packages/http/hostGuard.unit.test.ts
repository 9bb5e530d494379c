import { connect } from 'node:net';
import { pino } from 'pino';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { listen } from './listen.ts';
import { createHttpServer } from './server.ts';

let port: number;
let answered: number;
beforeEach(async () => {
  const server = createHttpServer({
    logger: pino({ enabled: false }),
    hostRule: { hosts: ['relay'], variable: 'RELAY_ALLOWED_HOSTS' },
    finishWithinMs: 0,
  });
  answered = 0;
  const handler = async () => ({ answered: ++answered });
  server.get('/', handler);
  server.post('/', handler);
  server.get('/readyz', async () => ({}));
  port = Number(new URL(await listen(server, { variables: 'RELAY', host: '127.0.0.1', port: 0 })).port);
  onTestFinished(() => server.close());
});

/** Sends a request as it stands, and resolves to the status and the rest of the answer. */
async function send(...lines: string[]): Promise<{ status: number; text: string }> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', chunk => (text += chunk));
  socket.on('error', () => {});
  socket.write(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`);
  await new Promise(resolve => socket.on('close', resolve));
  return { status: Number(text.split(' ')[1]), text };
}

test('a request for loopback or a listed name is answered', async () => {
  for (const host of ['localhost', `127.0.0.1:${port}`, 'relay:4100']) {
    expect((await send('GET / HTTP/1.1', `Host: ${host}`)).status).toBe(200);
  }
  expect((await send('GET http://relay/ HTTP/1.1', 'Host: localhost')).status).toBe(200);
});

test.each([
  { name: 'another name', lines: ['GET / HTTP/1.1', 'Host: evil.example.com'] },
  { name: 'an unknown address, too', lines: ['GET /nothing HTTP/1.1', 'Host: evil.example.com'] },
  { name: 'a POST', lines: ['POST / HTTP/1.1', 'Host: evil.example.com', 'Content-Length: 0'] },
  { name: 'an empty host', lines: ['GET / HTTP/1.1', 'Host:'] },
  { name: 'no host', lines: ['GET / HTTP/1.0'] },
  { name: 'two hosts', lines: ['GET / HTTP/1.1', 'Host: localhost', 'Host: evil.example.com'] },
  {
    name: 'two hosts, the first foreign',
    lines: ['GET / HTTP/1.1', 'Host: evil.example.com', 'host: localhost'],
  },
  { name: 'the same host twice', lines: ['GET / HTTP/1.1', 'Host: localhost', 'Host: localhost'] },
  { name: 'an address with a host', lines: ['GET http://evil.example.com/ HTTP/1.1', 'Host: localhost'] },
  {
    name: 'a user in the address',
    lines: ['GET http://localhost@evil.example.com/ HTTP/1.1', 'Host: localhost'],
  },
  {
    name: 'our address with a foreign Host',
    lines: ['GET http://localhost/ HTTP/1.1', 'Host: evil.example.com'],
  },
  {
    name: 'a forwarded host',
    lines: [
      'GET / HTTP/1.1',
      'Host: evil.example.com',
      'X-Forwarded-Host: localhost',
      'Forwarded: host=localhost',
    ],
  },
])('403 for $name', async ({ lines }) => {
  const { status, text } = await send(...lines);
  expect(status).toBe(403);
  expect(text).toContain('RELAY_ALLOWED_HOSTS lists the names');
  expect(answered).toBe(0);
});

test('health answers to any host', async () => {
  for (const path of ['/livez', '/readyz']) {
    expect((await send(`GET ${path} HTTP/1.1`, 'Host: 10.1.2.3:4100')).status).toBe(200);
  }
});
