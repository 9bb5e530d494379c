import { eventually } from '@segue/testing/eventually.ts';
import { expect, test } from 'vitest';
import { useRelays } from './test/relay.ts';

const here = useRelays();

/** Has a relay seen how quick the calls are. */
async function warmedUp(options: Parameters<typeof here.start>[0]) {
  await here.request({});
  const relay = here.start(options);
  await here.settled();
  return relay;
}

const inFlight = async () => {
  const rows = await here.sql`SELECT FROM ingestion_outbox WHERE status = 'in_flight'`;
  return rows.length;
};

test('as many batches call as the concurrency says; one more is claimed ahead, and one may be written down', async () => {
  await warmedUp({ batchSize: 1, concurrency: 2 });
  const answering = Promise.withResolvers<void>();
  const calls = { underWay: 0, most: 0 };
  here.inngest.answerWith(async () => {
    calls.underWay += 1;
    calls.most = Math.max(calls.most, calls.underWay);
    await answering.promise;
    calls.underWay -= 1;
    return undefined;
  });
  await here.request(...Array(9).fill({}));
  await eventually(async () => expect(await inFlight()).toBe(4));
  await eventually(() => expect(calls).toEqual({ underWay: 2, most: 2 }));

  answering.resolve();
  expect(await here.settled()).toHaveLength(10);
  expect(calls).toEqual({ underWay: 0, most: 2 });
});

test('a batch that cannot be written down yet keeps no other from being sent', async () => {
  await warmedUp({ batchSize: 1, concurrency: 1 });
  const other = await here.sql.reserve();
  let calls = 0;
  here.inngest.answerWith(async () => {
    calls += 1;
    if (calls === 1) {
      await other`BEGIN`;
      await other`SELECT FROM ingestion_outbox WHERE status = 'in_flight' ORDER BY id LIMIT 1 FOR UPDATE`;
    }
    return undefined;
  });
  try {
    await here.request({}, {});
    await eventually(async () => expect(calls).toBe(2));
    const open = await here.sql`SELECT id FROM ingestion_outbox WHERE settled_at IS NULL`;
    expect(open).toContainEqual({ id: expect.any(Number) });
  } finally {
    await other`COMMIT`;
    other.release();
  }
  expect(await here.settled()).toHaveLength(3);
});

test('a turn that comes when the relay stops makes no call', async () => {
  const { stop } = await warmedUp({ batchSize: 1, concurrency: 1 });
  const questions: string[] = [];
  here.qdrant.answerWith(({ url }) => {
    questions.push(url);
    return undefined;
  });
  const answering = Promise.withResolvers<undefined>();
  here.inngest.answerWith(() => answering.promise);
  await here.request({}, {}, {});
  await eventually(async () => expect(await inFlight()).toBe(3));
  await eventually(() => expect(questions).toHaveLength(1));
  const stopped = stop();
  answering.resolve(undefined);
  await stopped;

  expect(questions).toHaveLength(1);
  const rows = await here.sql`SELECT status FROM ingestion_outbox ORDER BY id`;
  expect(rows.map(({ status }) => status)).toEqual(['scheduled', 'scheduled', 'pending', 'pending']);
});
