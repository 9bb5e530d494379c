import { startScript } from '@segue/process/test/script.ts';
import { expect, test } from 'vitest';

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
