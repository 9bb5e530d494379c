import { expect, onTestFinished, test } from 'vitest';
import { type Fault, type IncomingRequest, installFaults } from './faults.ts';
import { bareServer, bodyOf, listen } from './server.ts';

async function echo() {
  const app = bareServer(1024);
  const answerWith = installFaults(app);
  const reached: string[] = [];
  app.post('/echo', (request, reply) => {
    reached.push(bodyOf(request).toString());
    reply.send('done');
  });
  const { url, close } = await listen(app, {});
  onTestFinished(close);
  const post = (init: RequestInit = {}) => fetch(`${url}/echo`, { method: 'POST', body: 'hello', ...init });
  return { post, answerWith, reached, close };
}

test('a request passes while there is no handler, and where the handler lets it', async () => {
  const { post, answerWith, reached } = await echo();
  expect(await (await post()).text()).toBe('done');
  answerWith(() => undefined);
  expect(await (await post()).text()).toBe('done');
  answerWith(() => ({ status: 503 }));
  expect((await post()).status).toBe(503);
  answerWith(null);
  expect((await post()).status).toBe(200);
  expect(reached).toHaveLength(3);
});

test('the handler sees the whole request', async () => {
  const { post, answerWith } = await echo();
  const seen: IncomingRequest[] = [];
  answerWith(request => {
    seen.push(request);
    return { status: 429, headers: { 'retry-after': '7' }, body: { error: 'slower' } };
  });
  const response = await post();
  expect(response.status).toBe(429);
  expect(response.headers.get('retry-after')).toBe('7');
  expect(await response.json()).toEqual({ error: 'slower' });
  expect(seen.map(({ method, url, text }) => [method, url, text()])).toEqual([['POST', '/echo', 'hello']]);
});

test.each<[Fault, string[]]>([
  ['reset', []],
  ['lose-answer', ['hello']],
])('%s cuts the connection', async (fault, expected) => {
  const { post, answerWith, reached } = await echo();
  answerWith(() => fault);
  await expect(post()).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
  expect(reached).toEqual(expected);
});

test('hang answers nothing, and does not hold up the closing', async () => {
  const { post, answerWith, reached, close } = await echo();
  const { promise: hanging, resolve } = Promise.withResolvers<void>();
  answerWith(() => {
    resolve();
    return 'hang';
  });
  const response = expect(post()).rejects.toThrow('fetch failed');
  await hanging;
  await close();
  await response;
  expect(reached).toEqual([]);
});

test('a handler that throws is an error of the server, not a silent pass', async () => {
  const { post, answerWith, reached } = await echo();
  answerWith(() => {
    throw new Error('a mistake in the test');
  });
  expect((await post()).status).toBe(500);
  expect(reached).toEqual([]);
});

test('a taken port is said to be taken', async () => {
  const first = await listen(bareServer(1), {});
  onTestFinished(first.close);
  const port = Number(new URL(first.url).port);
  await expect(listen(bareServer(1), { port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
