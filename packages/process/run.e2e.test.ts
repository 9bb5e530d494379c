import { describe, expect, test } from 'vitest';
import { startScript } from './test/script.ts';

/** Keeps a process alive whose work is over only when it is stopped. */
const work = 'const work = setInterval(() => {}, 1_000);';
const isUp = ({ msg }: { msg?: string }) => msg === 'up';

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', signal => {
  test('stops the process, and it exits 0 when that is done', async () => {
    const child = await startScript(`
      ${work}
      await run('script', async () => ({ logger, stop: async () => {
        await null;
        clearInterval(work);
        logger.info('all is put away');
      } }));
      logger.info('up');
    `);
    await child.waitForLog(isUp);
    child.kill(signal);

    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(child.logs.map(({ msg }) => msg)).toEqual(['up', 'stopping', 'all is put away', 'stopped']);
  });

  test('finds a process that is not up yet with nothing to put away: it exits 0 at once', async () => {
    const child = await startScript(`
      ${work}
      setImmediate(() => logger.info('starting'));
      await run('script', () => new Promise(() => {}));
    `);
    await child.waitForLog(({ msg }) => msg === 'starting');
    child.kill(signal);

    expect(await child.exited).toEqual({ code: 0, signal: null });
  });

  test('sent again ends it at once', async () => {
    const child = await startScript(`
      ${work}
      await run('script', async () => ({ logger, stop: () => new Promise(() => {}) }));
      logger.info('up');
    `);
    await child.waitForLog(isUp);
    child.kill(signal);
    await child.waitForLog(({ msg }) => msg === 'stopping');
    const impatience = setInterval(() => child.kill(signal), 50);

    expect(await child.exited).toEqual({ code: signal === 'SIGINT' ? 130 : 143, signal: null });
    clearInterval(impatience);
  });
});

test('Ctrl-C under npm comes twice and is one signal', async () => {
  const child = await startScript(`
    const work = setInterval(() => {}, 1_000);
    await run('script', async () => ({ logger, stop: async () => {
      const again = new Promise(resolve => process.once('SIGINT', resolve));
      logger.info('stop has begun');
      await again;
      clearInterval(work);
    } }));
    logger.info('up');
  `);
  await child.waitForLog(isUp);
  child.kill('SIGINT');
  await child.waitForLog(({ msg }) => msg === 'stop has begun');
  child.kill('SIGINT');

  expect(await child.exited).toEqual({ code: 0, signal: null });
});

test('a stop that fails says why and exits 1', async () => {
  const child = await startScript(`
    ${work}
    await run('script', async () => ({ logger, stop: async () => { throw new Error('stuck') } }));
    logger.info('up');
  `);
  await child.waitForLog(isUp);
  child.kill('SIGTERM');

  expect(await child.exited).toEqual({ code: 1, signal: null });
  expect(child.logs.at(-1)).toMatchObject({ level: 50, msg: 'not stopped cleanly', error: 'stuck' });
});

test('a configuration error is one line on stdout, without a stack, and exits 1', async () => {
  const child = await startScript(`
    await run('script', async () => { throw new ConfigurationError('DATABASE_URL is not set'); });
  `);

  expect(await child.exited).toEqual({ code: 1, signal: null });
  expect(child.output).toHaveLength(1);
  expect(child.logs).toMatchObject([{ level: 60, msg: 'wrong configuration: DATABASE_URL is not set' }]);
  expect(child.output[0]).not.toContain('run.ts');
});

test('any other failure to start is one line, too', async () => {
  const child = await startScript(`
    ${work}
    await run('script', async () => { throw new Error('no luck', { cause: new Error('rain') }); });
  `);

  expect(await child.exited).toEqual({ code: 1, signal: null });
  expect(child.output).toHaveLength(1);
  expect(child.logs).toMatchObject([{ level: 60, msg: 'not started: no luck: rain' }]);
});

test.each([
  ['an exception that nobody catches', `setImmediate(() => { throw new Error('a mistake'); });`],
  ['a rejection that nobody handles', `Promise.reject(new Error('a mistake'));`],
])('%s is logged with its stack and exits 1', async (_, mistake) => {
  const child = await startScript(`
    ${work}
    await run('script', async () => ({ logger, stop: async () => {} }));
    ${mistake}
  `);

  expect(await child.exited).toEqual({ code: 1, signal: null });
  expect(child.output).toHaveLength(1);
  expect(child.logs).toMatchObject([{ level: 60, msg: 'crashed', error: 'a mistake' }]);
  expect(child.logs[0]?.stack).toContain('script.mjs');
});

test('every line that was logged before the end is written, whole and in order', async () => {
  const child = await startScript(`
    ${work}
    await run('script', async () => ({ logger, stop: async () => {
      for (let number = 0; number < 20_000; number++) logger.info({ number }, 'a line');
    } }));
    logger.info('up');
  `);
  await child.waitForLog(isUp);
  child.kill('SIGTERM');

  expect(await child.exited).toEqual({ code: 0, signal: null });
  const numbers = child.logs.filter(({ msg }) => msg === 'a line').map(({ number }) => number);
  expect(numbers).toEqual(Array.from({ length: 20_000 }, (_, number) => number));
  expect(child.logs.at(-1)?.msg).toBe('stopped');
});
