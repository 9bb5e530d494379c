import { connect } from '@segue/database/connection.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { expect, onTestFinished, test } from 'vitest';
import { createConsole } from '../test/console.ts';
import { watchDependencies } from './dependencies.ts';
import { Watch } from './watch.ts';

const database = useDatabase();

/** A pool that counts the statements that go through it. */
function counting() {
  const texts: string[] = [];
  const sql = new Proxy(database.sql, {
    apply(target, self, args) {
      const [strings] = args as [TemplateStringsArray | undefined];
      if (strings?.raw) texts.push(strings.join('?'));
      return Reflect.apply(target as never, self, args);
    },
  });
  return { sql, count: () => texts.filter(text => text.includes('SELECT now() AS at')).length };
}

test('sixty tabs are one reading at a time', async () => {
  const { sql, count } = counting();
  const watch = new Watch({ sql, health: () => [], everyMs: 20 });
  onTestFinished(() => watch.stop());
  let told = 0;
  for (let tab = 0; tab < 60; tab++) watch.follow(() => told++);
  await eventually(() => expect(told).toBeGreaterThanOrEqual(180));
  expect(told / count()).toBeGreaterThanOrEqual(30);
});

test('sixty visitors at once share a reading, and those after them as well', async () => {
  const { sql, count } = counting();
  const watch = new Watch({ sql, health: () => [], everyMs: 60_000 });
  onTestFinished(() => watch.stop());
  await Promise.all(Array.from({ length: 60 }, () => watch.current()));
  await watch.current();
  expect(count()).toBe(1);
});

test('nothing is read while nobody looks', async () => {
  const { sql, count } = counting();
  const watch = new Watch({ sql, health: () => [], everyMs: 1 });
  onTestFinished(() => watch.stop());
  const told = Promise.withResolvers<void>();
  const unfollow = watch.follow(() => told.resolve());
  await told.promise;
  unfollow();
  await watch.stop();
  const before = count();
  await new Promise(resolve => setImmediate(resolve));
  expect(count()).toBe(before);
});

test('a tab gets the parts as events, and its stream ends with the server', async () => {
  const server = await createConsole({ sql: database.sql });
  const address = await server.listen({ host: '127.0.0.1', port: 0 });
  const response = await fetch(`${address}/console/live`);
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(response.headers.get('x-accel-buffering')).toBe('no');
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let text = '';
  const decoder = new TextDecoder();
  while (!/event: parts\ndata: .*\n\n/.test(text)) text += decoder.decode((await reader.read()).value);
  const parts = JSON.parse(/data: (.*)/.exec(text)?.[1] ?? '');
  expect(parts.figures).toContain('Waiting');
  const closed = server.close();
  for (let last = await reader.read(); !last.done; last = await reader.read());
  await closed;
});

test('a database that does not answer is said, with the reason', async () => {
  const failing = connect({
    url: 'postgres://segue@127.0.0.1:1/segue',
    applicationName: 'segue-console',
    max: 2,
  });
  onTestFinished(() => failing.end({ timeout: 0 }));
  const server = await createConsole({ sql: failing });
  const { statusCode, body } = await server.inject({ url: '/console/', headers: { host: 'localhost' } });
  expect([statusCode, body]).toEqual([200, expect.stringContaining('The database does not answer')]);
  expect(body).toContain('ECONNREFUSED');
});

test('a breaker that opens is told with since when', () => {
  const inngest = { isHeldBack: false };
  const { read, stop } = watchDependencies({ inngest, qdrant: { isHeldBack: false } });
  onTestFinished(stop);
  expect(read()).toMatchObject([
    { name: 'Inngest', state: 'ok', since: null },
    { name: 'Qdrant', state: 'ok', since: null },
  ]);
  inngest.isHeldBack = true;
  const [held] = read();
  expect(held).toMatchObject({ state: 'unavailable', since: expect.any(Date) });
  expect(read()[0]).toEqual(held);
  inngest.isHeldBack = false;
  expect(read()[0]).toMatchObject({ state: 'ok', since: expect.any(Date) });
});
