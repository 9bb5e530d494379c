import { eventually } from '@segue/testing/eventually.ts';
import { breakable } from '@segue/testing/proxy.ts';
import { expect, test } from 'vitest';
import { addressOf, newIsrc, useRelayProcesses } from './relayProcess.ts';

const here = useRelayProcesses();

const scheduled = (isrcs: string[]) =>
  eventually(() => here.expectOneEventEach(isrcs), { timeoutMs: 15_000 });

test('connections that go silent are replaced: the relay says so once, is not ready, and goes on', async () => {
  await using proxy = await breakable(here.url);
  const relay = await here.start({ DATABASE_URL: proxy.url, RELAY_POLL_INTERVAL_MS: '1000' });
  const address = await addressOf(relay);
  const readiness = async () => (await fetch(`${address}/readyz`)).status;
  const [before, after] = [newIsrc(), newIsrc()];
  await here.add([{ isrc: before }]);
  await scheduled([before]);
  expect(await readiness()).toBe(200);

  proxy.silence();
  await here.add([{ isrc: after }]);
  await eventually(async () => expect(await readiness()).toBe(503), { timeoutMs: 5_000 });
  await scheduled([before, after]);
  await eventually(async () => expect(await readiness()).toBe(200), { timeoutMs: 15_000 });
  const lost = relay.logs.filter(({ event }) => event === 'database_connection_lost');
  expect(lost).toEqual([expect.objectContaining({ msg: expect.stringContaining('no answer within') })]);
});

test('a relay whose connections are silent ends when it is asked to', async () => {
  await using proxy = await breakable(here.url);
  const relay = await here.start({ DATABASE_URL: proxy.url });
  await addressOf(relay);
  const isrc = newIsrc();
  await here.add([{ isrc }]);
  await scheduled([isrc]);

  proxy.silence();
  expect(await relay.stop()).toEqual({ code: 0, signal: null });
});
