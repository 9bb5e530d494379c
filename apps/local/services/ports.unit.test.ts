import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { addressOf, choosePort, onPort } from './ports.ts';

const host = '127.0.0.1';

test('a free port is taken as it is, a taken one is not', async () => {
  const port = portOf(await listen(0));
  const other = await choosePort(port, host);
  expect(other).not.toBe(port);
  expect(await choosePort(other, host)).toBe(other);
});

test('zero is any free port', async () => {
  const port = await choosePort(0, host);
  expect(portOf(await listen(port))).toBe(port);
});

test('an address that is none of this machine is left to whoever is to listen there', async () => {
  expect(await choosePort(4000, '192.0.2.1')).toBe(4000);
});

test('a server listens elsewhere when its port is taken, and only then', async () => {
  const taken = portOf(await listen(0));
  const server = await onPort(taken, listen);
  expect(portOf(server)).not.toBe(taken);

  const broken = () => Promise.reject(new Error('its file cannot be read'));
  await expect(onPort(0, broken)).rejects.toThrow('its file cannot be read');
});

test.each([
  ['127.0.0.1', 'http://127.0.0.1:4000'],
  ['0.0.0.0', 'http://127.0.0.1:4000'],
  ['::', 'http://[::1]:4000'],
  ['fd00::1', 'http://[fd00::1]:4000'],
])('what listens on %s is reached at %s', (host, address) => {
  expect(addressOf(host, 4000)).toBe(address);
});

async function listen(port: number): Promise<Server> {
  const server = createServer().listen(port, host);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
