import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Inngest, NonRetriableError, RetryAfterError } from 'inngest';
import { serve } from 'inngest/node';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type InngestOptions, startInngest } from '../server.ts';

/** Without waits between attempts. */
const eager: InngestOptions = { retryDelayMs: () => 0 };

async function start(options: InngestOptions = eager) {
  const server = await startInngest(options);
  onTestFinished(() => server.close());
  return server;
}

/** The SDK would print each error that a test causes. */
const quiet = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} };

type Functions = (client: Inngest) => ReturnType<Inngest['createFunction']>[];

/** An app with the real SDK, at an address of its own. */
async function startApp(inngestUrl: string, functions: Functions) {
  const client = new Inngest({ id: 'app', isDev: true, baseUrl: inngestUrl, logger: quiet });
  const handler = serve({ client, functions: functions(client) });
  const server = createServer((request, response) => void handler(request, response));
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    server.closeAllConnections();
    await new Promise(closed => server.close(closed));
  };
  onTestFinished(() => void stop());
  const register = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/api/inngest`, { method: 'PUT' });
    expect(response.status, await response.text()).toBe(200);
  };
  await register();
  return { client, register, stop, url: `http://127.0.0.1:${port}` };
}

const triggers = [{ event: 'a' }] as [{ event: 'a' }];

test('a run goes through its steps, each once, and ends with what the function returns', async () => {
  const { url, runs } = await start();
  const calls: string[] = [];
  const { client } = await startApp(url, client => [
    client.createFunction({ id: 'sums', triggers }, async ({ event, step }) => {
      const one = await step.run('one', () => calls.push('one'));
      const two = await step.run('two', () => calls.push('two'));
      const both = await Promise.all([step.run('three', () => 3), step.run('four', () => 4)]);
      await step.sendEvent('tell', { name: 'b', data: { one } });
      return { sum: one + two + both[0] + both[1], n: event.data.n };
    }),
  ]);
  const { ids } = await client.send({ name: 'a', id: 'a:1', data: { n: 7 } });
  await vi.waitFor(() => expect(runs()).toMatchObject([{ status: 'Completed', output: { sum: 10, n: 7 } }]));
  expect(calls).toEqual(['one', 'two']);

  const answer = await fetch(`${url}/v1/events/${ids[0]}/runs`);
  const { data } = (await answer.json()) as { data: { run_id: string }[] };
  expect(data).toMatchObject([{ status: 'Completed', output: { sum: 10 }, ended_at: expect.any(String) }]);
  expect(await (await fetch(`${url}/v1/runs/${data[0]?.run_id}`)).json()).toMatchObject({
    data: { status: 'Completed' },
  });
});

test('a step that fails is tried again by itself, and the function may catch it in the end', async () => {
  const { url, runs } = await start();
  let before = 0;
  const attempts: number[] = [];
  const { client } = await startApp(url, client => [
    client.createFunction({ id: 'retries', triggers, retries: 2 }, async ({ step, attempt }) => {
      await step.run('before', () => before++);
      try {
        return await step.run('fails', () => {
          attempts.push(attempt);
          throw new Error('not yet');
        });
      } catch (error) {
        return `caught ${(error as Error).message}`;
      }
    }),
  ]);
  await client.send({ name: 'a', data: {} });
  await vi.waitFor(() => expect(runs()).toMatchObject([{ status: 'Completed', output: 'caught not yet' }]));
  expect(attempts).toEqual([0, 1, 2]);
  expect(before).toBe(1);
});

test('a run that has used up its attempts fails, and its failure function hears of it', async () => {
  const { url, runs, events } = await start();
  const heard: unknown[] = [];
  let attempts = 0;
  const { client } = await startApp(url, client => [
    client.createFunction(
      { id: 'fails', triggers, retries: 1, onFailure: ({ event }) => void heard.push(event.data) },
      async ({ step }) => {
        await step.run('breaks', () => {
          attempts++;
          throw new Error('broken');
        });
      },
    ),
  ]);
  await client.send({ name: 'a', id: 'a:1', data: { n: 1 } });
  await vi.waitFor(() => expect(runs().map(run => run.status)).toEqual(['Failed', 'Completed']));
  expect(attempts).toBe(2);
  expect(heard).toMatchObject([
    {
      function_id: 'app-fails',
      run_id: runs()[0]?.id,
      error: { message: 'broken' },
      event: { id: 'a:1', name: 'a', data: { n: 1 } },
    },
  ]);
  expect(events().map(event => event.name)).toEqual(['a', 'inngest/function.failed']);
});

test.each([
  ['ends at once', () => new NonRetriableError('no use'), 1],
  ['waits as long as it says', () => new RetryAfterError('later', 1_000), 2],
])('an error that %s', async (_name, error, expected) => {
  // A wait of the server's own would last longer than the test.
  const { url, runs } = await start({ retryDelayMs: () => 3_600_000 });
  const at: number[] = [];
  const { client } = await startApp(url, client => [
    client.createFunction({ id: 'f', triggers, retries: 1 }, async ({ step }) => {
      await step.run('s', () => {
        at.push(performance.now());
        throw error();
      });
    }),
  ]);
  await client.send({ name: 'a', data: {} });
  await vi.waitFor(() => expect(runs()[0]?.status).toBe('Failed'), 10_000);
  expect(at).toHaveLength(expected);
  if (expected > 1) expect((at[1] as number) - (at[0] as number)).toBeGreaterThan(990);
});

test('an app that is away costs attempts, and goes on where it was', async () => {
  const { url, runs, answerWith } = await start();
  const { client, stop } = await startApp(url, client => [
    client.createFunction({ id: 'f', triggers, retries: 1 }, async () => 'done'),
  ]);
  await stop();
  await client.send({ name: 'a', data: {} });
  await vi.waitFor(() => expect(runs()[0]).toMatchObject({ status: 'Failed', attempt: 1 }));
  expect(runs()[0]?.output).toMatchObject({ message: expect.stringContaining('Unable to reach SDK URL') });
  answerWith(null);
});

test('no more requests at once than the function allows, those of a higher priority first', async () => {
  const { url, runs } = await start();
  const order: unknown[] = [];
  const gate = Promise.withResolvers<void>();
  const { client } = await startApp(url, client => [
    client.createFunction(
      { id: 'f', triggers, concurrency: 1, priority: { run: 'int(event.data.priority)' } },
      async ({ event }) => {
        order.push(event.data.priority);
        await gate.promise;
      },
    ),
  ]);
  await client.send({ name: 'a', data: { priority: 0 } });
  await vi.waitFor(() => expect(order).toEqual([0]));
  for (const priority of [0, 600, 100]) await client.send({ name: 'a', data: { priority } });
  gate.resolve();
  await vi.waitFor(() => expect(runs().every(run => run.status === 'Completed')).toBe(true));
  expect(order).toEqual([0, 600, 100, 0]);
});

test('a negative priority waits so many seconds', async () => {
  const { url, runs } = await start();
  const { client } = await startApp(url, client => [
    client.createFunction(
      { id: 'f', triggers, priority: { run: 'int(event.data.priority)' } },
      async () => 'done',
    ),
  ]);
  await client.send({ name: 'a', data: { priority: -600 } });
  await client.send({ name: 'a', data: {} });
  await vi.waitFor(() => expect(runs()[1]?.status).toBe('Completed'));
  expect(runs()[0]?.status).toBe('Scheduled');
  expect((runs()[0]?.dueAt ?? 0) - (runs()[0]?.startedAt ?? 0)).toBe(600_000);
});

test('an event that came before any function listened starts its run when one does; a repeated id starts none', async () => {
  const { url, runs } = await start();
  const early = new Inngest({ id: 'early', isDev: true, baseUrl: url });
  await early.send([
    { name: 'a', id: 'a:1', data: {} },
    { name: 'a', id: 'a:1', data: {} },
    { name: 'other', data: {} },
  ]);
  expect(runs()).toEqual([]);
  const { register } = await startApp(url, client => [
    client.createFunction({ id: 'f', triggers }, async () => 'done'),
  ]);
  await vi.waitFor(() => expect(runs().map(run => run.status)).toEqual(['Completed']));
  await register();
  await early.send({ name: 'a', id: 'a:1', data: {} });
  expect(runs()).toHaveLength(1);
});

test('with a file, a run goes on after a restart, and its finished steps are not done again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'inngest-runs-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const options = { ...eager, file: join(folder, 'events.jsonl') };
  const first = await startInngest(options);
  const calls: string[] = [];
  const hanging = Promise.withResolvers<void>();
  const { client } = await startApp(first.url, client => [
    client.createFunction({ id: 'f', triggers }, async ({ step }) => {
      await step.run('one', () => calls.push('one'));
      await step.run('two', async () => {
        calls.push('two');
        if (calls.length === 2) await hanging.promise;
      });
      return calls.length;
    }),
  ]);
  await client.send({ name: 'a', data: {} });
  await vi.waitFor(() => expect(calls).toEqual(['one', 'two']));
  await first.close();
  hanging.resolve();

  const second = await start(options);
  await vi.waitFor(() => expect(second.runs()).toMatchObject([{ status: 'Completed', output: 3 }]));
  expect(calls).toEqual(['one', 'two', 'two']);
  expect(second.functions().map(({ id }) => id)).toEqual(['app-f']);
});

test('a registration that is none is refused', async () => {
  const { url } = await start();
  for (const body of ['{}', '{"appName":"a"}', '{"appName":"a","functions":[{}]}', 'x']) {
    expect((await fetch(`${url}/fn/register`, { method: 'POST', body })).status).toBe(400);
  }
});
