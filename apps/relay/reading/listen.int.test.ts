import { hint, notifySlots } from '@segue/outbox/hint.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { expect, onTestFinished, test, vi } from 'vitest';
import { loggerInMemory } from '../test/relay.ts';
import { listener } from './listen.ts';

const database = useDatabase();

function start() {
  const onHint = vi.fn();
  const onSlots = vi.fn();
  const { logger, lines } = loggerInMemory();
  const service = listener({ url: database.url }, { onRows: onHint, onSlots }, logger);
  service.start();
  const stop = () => service.stop();
  onTestFinished(stop);
  return { onHint, onSlots, lines, stop };
}

/** Until somebody listens, a hint goes nowhere. */
const hintUntilHeard = (onHint: ReturnType<typeof vi.fn>) =>
  eventually(async () => {
    await hint(database.sql);
    expect(onHint).toHaveBeenCalled();
  });

const listeners = () => database.sql<{ pid: number }[]>`
  SELECT pid FROM pg_stat_activity
  WHERE datname = current_database() AND application_name = 'segue-relay-listen'`;

test('a hint is heard, and what the relay says to itself is none', async () => {
  const { onHint, lines } = start();
  await eventually(async () => expect(await listeners()).not.toEqual([]));
  await database.sql.notify('ingestion_outbox', 'the word of another relay');
  await hintUntilHeard(onHint);
  const heard = onHint.mock.calls.length;

  // Notifications arrive in the order in which they were sent: after this one nothing of before is on its way.
  await hint(database.sql);
  await eventually(() => expect(onHint.mock.calls.length).toBeGreaterThan(heard));
  expect(lines).toEqual([]);
});

test('that slots have changed hands is told apart from a hint, with the relay that says so', async () => {
  const { onHint, onSlots } = start();
  await hintUntilHeard(onHint);
  onHint.mockClear();
  await notifySlots(database.sql, 'a-relay');
  await eventually(() => expect(onSlots.mock.calls).toEqual([['a-relay']]));
  // Hints that were sent until one was heard may still arrive; this one has none of its own.
  expect(onSlots).toHaveBeenCalledTimes(1);
});

test('when its connection is killed, it listens again on another', async () => {
  const { onHint } = start();
  await hintUntilHeard(onHint);
  const before = await listeners();
  await database.sql`SELECT pg_terminate_backend(pid) FROM unnest(${before.map(({ pid }) => pid)}::int[]) AS pid`;
  onHint.mockClear();

  await hintUntilHeard(onHint);
  const after = (await listeners()).map(({ pid }) => pid);
  for (const { pid } of before) expect(after).not.toContain(pid);
});

test('two relays hear the same hint', async () => {
  const [one, other] = [start(), start()];
  await hintUntilHeard(one.onHint);
  await hintUntilHeard(other.onHint);
});

test('a relay that stops leaves no connection behind', async () => {
  const { onHint, stop } = start();
  await hintUntilHeard(onHint);
  await stop();
  await eventually(async () => expect(await listeners()).toEqual([]));
});

test('a database that is away is worth one line, however often it is tried', async () => {
  const { logger, lines } = loggerInMemory();
  const nobody = { onRows: () => undefined, onSlots: () => undefined };
  const service = listener({ url: 'postgres://127.0.0.1:1/nowhere' }, nobody, logger);
  service.start();
  await eventually(() => expect(lines).toHaveLength(1));
  await service.stop();
  expect(lines).toMatchObject([{ level: 40, error: expect.stringContaining('ECONNREFUSED') }]);
});
