import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { scriptFile, startScript } from '@segue/process/test/script.ts';
import { describe, expect, onTestFinished, test } from 'vitest';

const file = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);

test('lines are JSON on stdout, and what is called a secret is not in them', async () => {
  const child = await startScript(`
    logger.info({ password: 'hunter2', reason: 'kept' }, 'first');
    logger.info({ tidal: { clientSecret: 'hunter2', clientId: 'kept' } }, 'second');
    logger.debug('below the level');
  `);

  expect(await child.exited).toEqual({ code: 0, signal: null });
  expect(child.logs).toMatchObject([
    { name: 'script', level: 30, msg: 'first', reason: 'kept' },
    { name: 'script', level: 30, msg: 'second', tidal: { clientId: 'kept' } },
  ]);
  expect(child.output).toHaveLength(2);
  expect(child.output.join()).not.toContain('hunter2');
});

test('lines carry the id of the request that caused them', async () => {
  const child = await startScript(`
    const { causedBy } = await import(${file('./origin.ts')});
    const { withoutRedaction } = await import(${file('./logger.ts')});
    causedBy({ requestId: 'some-id', traceparent: null }, () => {
      logger.info('of a request');
      withoutRedaction(logger).info('of the same');
    });
    logger.info('of none');
  `);

  expect(await child.exited).toEqual({ code: 0, signal: null });
  expect(child.logs.map(({ msg, requestId }) => [msg, requestId])).toEqual([
    ['of a request', 'some-id'],
    ['of the same', 'some-id'],
    ['of none', undefined],
  ]);
});

describe('a log that nobody takes', () => {
  /** Logs more than may wait, says so on stderr, and stays. */
  const talkative = `
    import { writeSync } from 'node:fs';
    const text = 'x'.repeat(1_000);
    const total = 50_000;
    const work = setInterval(() => writeSync(2, 'at work\\n'), 20);
    await run('script', async () => ({ logger, stop: async () => clearInterval(work) }));
    for (let number = 0; number < total; number++) logger.info({ number, text }, 'a line');
    writeSync(2, 'logged\\n');
  `;

  async function start(stdout: 'pipe' | number) {
    const entry = await scriptFile(talkative);
    const env = { PATH: process.env.PATH, HOME: process.env.HOME };
    const child = spawn(process.execPath, [entry], { env, stdio: ['ignore', stdout, 'pipe'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const said = createInterface({ input: child.stderr as Readable });
    const heard = (words: string) =>
      new Promise<void>(resolve => said.on('line', line => line === words && resolve()));
    const exited = once(child, 'exit');
    return { child, heard, exited };
  }

  test('does not stop the work, nor the end', async () => {
    const { child, heard, exited } = await start('pipe');
    await heard('logged');
    await heard('at work');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });

  test('is taken up again, with one line that says how many were dropped', async () => {
    const { child, heard, exited } = await start('pipe');
    await heard('logged');
    const lines = createInterface({ input: child.stdout as Readable });
    const numbers: number[] = [];
    const dropped = new Promise<number>(resolve => {
      lines.on('line', text => {
        const line = JSON.parse(text);
        if (line.event === 'log_lines_dropped') resolve(line.dropped);
        else if (line.msg === 'a line') numbers.push(line.number);
      });
    });
    const missing = await dropped;
    expect(missing).toBeGreaterThan(0);
    // What waited is whole and in order.
    expect(numbers).toEqual(Array.from({ length: 50_000 - missing }, (_, number) => number));
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });

  test('whose reader has died does not stop the work, nor the end', async () => {
    const { child, heard, exited } = await start('pipe');
    child.stdout?.destroy();
    await heard('logged');
    await heard('at work');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });

  test.skipIf(!existsSync('/dev/full'))('on a full disk does not stop the work, nor the end', async () => {
    const full = openSync('/dev/full', 'w');
    const { child, heard, exited } = await start(full);
    closeSync(full);
    await heard('logged');
    await heard('at work');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });
});
