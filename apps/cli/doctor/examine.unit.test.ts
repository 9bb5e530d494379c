import { expect, test } from 'vitest';
import { type Check, type CheckContext, failure, ok } from './check.ts';
import { examine } from './examine.ts';

const context = {} as Omit<CheckContext, 'signal'>;
const check = (given: Partial<Check> & Pick<Check, 'name'>): Check => ({
  after: [],
  timeoutMs: 5_000,
  run: async () => ok('fine'),
  ...given,
});
const run = (...checks: Check[]) => Promise.all(examine(checks, context, new AbortController().signal));

test('what depends on a failed check is skipped, and what depends on that', async () => {
  const found = await run(
    check({ name: 'database', run: async () => failure('away', 'start it') }),
    check({ name: 'migrated', after: ['database'] }),
    check({ name: 'rights', after: ['migrated'] }),
    check({ name: 'qdrant' }),
  );
  expect(found.map(({ name, state }) => [name, state])).toEqual([
    ['database', 'failure'],
    ['migrated', 'skipped'],
    ['rights', 'skipped'],
    ['qdrant', 'ok'],
  ]);
});

test('a check that hangs fails by its own time-out and holds up no other', async () => {
  const hung = check({ name: 'hung', timeoutMs: 20, run: () => new Promise(() => undefined) });
  const [found, other] = await run(hung, check({ name: 'other' }));
  expect(found).toMatchObject({ state: 'failure', summary: 'no answer within 0.02 s' });
  expect(other).toMatchObject({ state: 'ok' });
});

test('a check that throws fails with the reason', async () => {
  const [found] = await run(check({ name: 'broken', run: () => Promise.reject(new Error('ECONNREFUSED')) }));
  expect(found).toMatchObject({ state: 'failure', summary: 'ECONNREFUSED' });
});

test('a check that is chosen without those before it runs', async () => {
  const [found] = await run(check({ name: 'rights', after: ['migrated'] }));
  expect(found).toMatchObject({ state: 'ok' });
});
