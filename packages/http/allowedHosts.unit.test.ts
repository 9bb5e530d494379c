import { expect, test } from 'vitest';
import { AllowedHosts, allowedHosts } from './allowedHosts.ts';

const listed = new AllowedHosts([
  'relay',
  'Relay.Example.com',
  '10.0.0.0/8',
  '2001:db8::/32',
  '192.0.2.7',
  '0.0.0.0',
]);

test.each([
  'localhost',
  'LOCALHOST:4100',
  'localhost.',
  'segue.localhost:4000',
  '127.0.0.1',
  '127.255.0.1:80',
  '[::1]',
  '[::1]:4000',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
])('%s is loopback and always allowed', host => {
  expect(new AllowedHosts([]).allows(host)).toBe(true);
});

test.each([
  'relay',
  'RELAY:4100',
  'relay.example.com.',
  '10.255.1.2:4100',
  '192.0.2.7',
  '[2001:db8::7]:4100',
])('%s is allowed once it is listed', host => {
  expect(listed.allows(host)).toBe(true);
  expect(new AllowedHosts([]).allows(host)).toBe(false);
});

test.each([
  '',
  'evil.example.com',
  'evil.example.com:4100',
  '127.0.0.1.evil.example.com',
  'localhost.evil.example.com',
  'evillocalhost',
  'x.relay',
  'localhost@evil.example.com',
  'evil.example.com/localhost',
  'localhost, evil.example.com',
  'localhost evil',
  'localhost:80:80',
  'localhost:x',
  '0.0.0.0',
  '127.1',
  '0x7f000001',
  '2130706433',
  '[::]',
  '::1',
  '[localhost]',
  '11.0.0.1',
])('%j is refused', host => {
  expect(listed.allows(host)).toBe(false);
});

test('a variable lists names, addresses and subnets', () => {
  expect(allowedHosts.parse(' relay, 10.0.0.0/8 ,::1,')).toEqual(['relay', '10.0.0.0/8', '::1']);
  expect(allowedHosts.parse(undefined)).toEqual([]);
});

test.each([
  'relay:4100',
  'http://relay',
  '*',
  '*.example.com',
  '10.0.0.0/33',
  '10.0.0.0/8/8',
  'relay/8',
  '[::1]',
  'a b',
  '.relay',
])('%s is no entry of such a list', entry => {
  expect(allowedHosts.safeParse(`localhost,${entry}`).error?.issues[0]?.message).toMatch(/^must be names/);
});
