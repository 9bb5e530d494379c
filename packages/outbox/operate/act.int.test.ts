import { beforeEach, expect, test } from 'vitest';
import { newIsrc, useOutbox } from '../test/outbox.ts';
import { ActionInvalid, ActionRefused, act, actInSteps, type Step } from './act.ts';
import { readActions } from './actions.ts';
import { countFor } from './count.ts';
import { readRecording } from './recording.ts';

const outbox = useOutbox();
beforeEach(() => outbox.sql`TRUNCATE ingestion_actions`);
const reason = 'Inngest was mended';

const dead = (given: Record<string, unknown> = {}) => ({
  status: 'dead',
  reason: 'Inngest: bad event',
  attempts: 10,
  settled_at: new Date(),
  ...given,
});
const scheduled = { status: 'scheduled', settled_at: new Date(), generation: 1 };

const refusalsOf = async (attempt: Promise<unknown>) => {
  const error = await attempt.then(
    () => null,
    error => error,
  );
  expect(error).toBeInstanceOf(ActionRefused);
  return (error as ActionRefused).refusals.map(({ why }) => why);
};

test('requeue makes dead requests pending at once, with their attempts counted anew', async () => {
  const [id] = (await outbox.store(dead())) as [number];
  const step = await act(outbox.sql, { kind: 'requeue' }, { selection: { ids: [id] }, reason, actor: 'ada' });
  expect(step).toMatchObject({ rows: 1, refused: 0, next: null });
  expect(await outbox.row(id)).toMatchObject({
    status: 'pending',
    attempts: 0,
    reason: null,
    settled: false,
  });
  const [action] = await readActions(outbox.sql);
  expect(action).toMatchObject({
    id: step.actionId,
    actor: 'ada',
    action: 'requeue',
    reason,
    rows: 1,
    selection: { ids: [id] },
    source: 'segue-test',
  });
});

test('requeue with force marks the requests as forced', async () => {
  const [id] = (await outbox.store(dead())) as [number];
  await act(outbox.sql, { kind: 'requeue', force: true }, { selection: { ids: [id] }, reason });
  expect(await outbox.sql`SELECT force FROM ingestion_outbox WHERE id = ${id}`).toEqual([{ force: true }]);
});

test('requeue finds recordings by ISRCs as people write them', async () => {
  const isrc = newIsrc();
  await outbox.store(dead({ isrc }), dead());
  const written =
    `${isrc.slice(0, 2)}-${isrc.slice(2, 5)}-${isrc.slice(5, 7)}-${isrc.slice(7)}`.toLowerCase();
  const step = await act(outbox.sql, { kind: 'requeue' }, { selection: { isrcs: [written] }, reason });
  expect(step).toMatchObject({ rows: 1 });
});

test('requeue says of each request why it makes no sense', async () => {
  const [pending, sent] = (await outbox.store({}, scheduled)) as [number, number];
  const named = { selection: { ids: [pending, sent, 987_654] }, reason };
  const whys = await refusalsOf(act(outbox.sql, { kind: 'requeue' }, named));
  expect(whys).toEqual([
    `request ${pending} is pending already`,
    expect.stringMatching(`request ${sent} was sent at .*force = true sends the recording anew`),
    'there is no request 987654',
  ]);
  expect(await readActions(outbox.sql)).toEqual([]);
});

test('what can be done of a list is done, and the rest is told', async () => {
  const [pending, good] = (await outbox.store({}, dead())) as [number, number];
  const step = await act(outbox.sql, { kind: 'requeue' }, { selection: { ids: [pending, good] }, reason });
  expect(step).toMatchObject({ rows: 1, refused: 1, refusals: [{ id: pending, status: 'pending' }] });
});

test('discard puts dead and pending requests away as skipped, and tells no one that is settled', async () => {
  const ids = await outbox.store(dead(), {}, scheduled);
  const step = await act(outbox.sql, { kind: 'discard' }, { selection: { ids }, reason: 'not wanted' });
  expect(step).toMatchObject({ rows: 2, refused: 1 });
  for (const id of ids.slice(0, 2)) {
    expect(await outbox.row(id)).toMatchObject({
      status: 'skipped',
      reason: 'discarded',
      settled: true,
      last_error: 'discarded: not wanted',
    });
  }
});

test('the counts of an album follow its requests', async () => {
  const [batch] = await outbox.sql<[{ id: number }]>`
    INSERT INTO album_ingestion_batches (total_tracks, dead_count) VALUES (3, 2) RETURNING id`;
  const of = { album_batch_id: batch.id };
  const [one, two] = (await outbox.store(dead(of), dead(of), of)) as [number, number];
  await act(outbox.sql, { kind: 'requeue' }, { selection: { ids: [one] }, reason });
  await act(outbox.sql, { kind: 'discard' }, { selection: { ids: [two] }, reason });
  expect(await outbox.sql`SELECT dead_count, skipped_count FROM album_ingestion_batches`).toEqual([
    { dead_count: 0, skipped_count: 1 },
  ]);
});

test('reschedule sets the next attempt, and refuses the past and what is years away', async () => {
  const [id] = (await outbox.store({})) as [number];
  const selection = { ids: [id] };
  const hour = new Date(Date.now() + 3_600_000);
  await act(outbox.sql, { kind: 'reschedule', at: hour }, { selection, reason });
  expect((await outbox.row(id)).due_in_ms).toBeGreaterThan(3_590_000);
  await act(outbox.sql, { kind: 'reschedule', at: 'now' }, { selection, reason });
  expect((await outbox.row(id)).due_in_ms).toBeLessThanOrEqual(0);
  for (const at of [new Date(0), new Date(Date.now() + 400 * 86_400_000)]) {
    await expect(act(outbox.sql, { kind: 'reschedule', at }, { selection, reason })).rejects.toThrow(
      ActionInvalid,
    );
  }
});

test('reschedule refuses what is dead, and says what to do instead', async () => {
  const ids = await outbox.store(dead());
  const [why] = await refusalsOf(
    act(outbox.sql, { kind: 'reschedule', at: 'now' }, { selection: { ids }, reason }),
  );
  expect(why).toContain('is dead (Inngest: bad event): requeue it');
});

test.each([
  ['without a reason', { selection: { ids: [1] }, reason: ' ' }, 'say why'],
  ['for no request', { selection: { ids: [] }, reason }, 'no request is named'],
  ['without a selection', { selection: { all: true as const }, reason }, 'say which requests'],
  [
    'for a filter of what it cannot change',
    { selection: { filter: { status: 'scheduled' as const } }, reason },
    'requeue changes requests that are dead',
  ],
])('an action %s is refused', async (_, options, message) => {
  await expect(act(outbox.sql, { kind: 'requeue' }, options)).rejects.toThrow(message);
});

test('a filter that the database does not know is refused by name', async () => {
  await expect(
    outbox.sql`SELECT * FROM ingestion_outbox_requeue(filter => '{"colour": "red"}', reason => 'x')`,
  ).rejects.toThrow('a filter knows no "colour"');
});

test('everything that matches a filter is done in steps, as one recorded action', async () => {
  await outbox.store(...Array.from({ length: 7 }, () => dead({ reason: 'Inngest: 429' })), dead());
  const selection = { filter: { error: 'INNGEST: 429' } };
  expect(await countFor(outbox.sql, { kind: 'requeue' }, selection)).toEqual({ count: 7, more: false });
  expect(await countFor(outbox.sql, { kind: 'requeue' }, selection, 3)).toEqual({ count: 3, more: true });
  const steps: Step[] = [];
  for await (const step of actInSteps(outbox.sql, { kind: 'requeue' }, { selection, reason, atMost: 3 })) {
    steps.push(step);
  }
  expect(steps.map(({ rows }) => rows)).toEqual([3, 6, 7]);
  expect(await readActions(outbox.sql)).toMatchObject([
    { rows: 7, selection: { filter: { error: 'INNGEST: 429' } } },
  ]);
  expect(await outbox.sql`SELECT FROM ingestion_outbox WHERE status = 'dead'`).toHaveLength(1);
});

test('an action that matches nothing changes nothing and says so', async () => {
  const step = await act(
    outbox.sql,
    { kind: 'requeue' },
    { selection: { filter: { error: 'nothing' } }, reason },
  );
  expect(step).toMatchObject({ rows: 0, refused: 0, next: null });
});

test('a request that a relay settles at this moment is left to it', async () => {
  const [id, other] = (await outbox.store(dead(), dead())) as [number, number];
  await outbox.during(
    transaction => transaction`UPDATE ingestion_outbox SET last_error = 'mine' WHERE id = ${id}`,
    async () => {
      const step = await act(outbox.sql, { kind: 'requeue' }, { selection: { ids: [id, other] }, reason });
      expect(step).toMatchObject({ rows: 1, refused: 1 });
      expect(step.refusals[0]?.why).toContain('is being changed by a relay at this moment');
    },
  );
});

test('the functions find our tables whatever the search_path of the caller, and no temporary one', async () => {
  const [id] = (await outbox.store(dead())) as [number];
  await outbox.sql.begin(async transaction => {
    const [schema] = await transaction<[{ name: string }]>`SELECT current_schema() AS name`;
    await transaction`CREATE TEMPORARY TABLE ingestion_outbox (LIKE ingestion_outbox) ON COMMIT DROP`;
    await transaction`SET LOCAL search_path = pg_catalog`;
    const [step] = await transaction.unsafe(
      `SELECT rows FROM "${schema.name}".ingestion_outbox_requeue(ids => '{${id}}', reason => 'x')`,
    );
    expect(step).toEqual({ rows: 1 });
  });
  expect(await outbox.row(id)).toMatchObject({ status: 'pending' });
});

test('an operator acts by the functions, and has no right on the tables', async () => {
  const [id] = (await outbox.store(dead())) as [number];
  await outbox.sql.begin(async transaction => {
    await transaction`SET LOCAL ROLE segue_operator`;
    expect(await act(transaction, { kind: 'requeue' }, { selection: { ids: [id] }, reason })).toMatchObject({
      rows: 1,
    });
  });
  for (const role of ['segue_reader', 'segue_api']) {
    const attempt = outbox.sql.begin(async transaction => {
      await transaction.unsafe(`SET LOCAL ROLE ${role}`);
      await act(transaction, { kind: 'discard' }, { selection: { ids: [id] }, reason });
    });
    await expect(attempt).rejects.toMatchObject({ code: '42501' });
  }
});

test('a step that found nothing among the first 20,000 says where the next one goes on', async () => {
  await outbox.sql`
    INSERT INTO ingestion_outbox (isrc, title, artist, album, created_at)
    SELECT 'US' || lpad(n::text, 10, '0'), 'T', 'A', 'B', now() - interval '1 hour' FROM generate_series(1, 20000) AS n`;
  await outbox.store({ album: 'Rare' });
  const selection = { filter: { status: 'pending' as const, album: 'rare' } };
  const first = await act(outbox.sql, { kind: 'reschedule', at: 'now' }, { selection, reason, dryRun: true });
  expect(first).toMatchObject({ rows: 0, next: expect.any(String) });
  const options = { selection, reason, after: first.next };
  expect(await act(outbox.sql, { kind: 'reschedule', at: 'now' }, options)).toMatchObject({
    rows: 1,
    next: null,
  });
});

test("a recording's story has its requests, what was decided, and what people did", async () => {
  const isrc = newIsrc();
  const [id] = (await outbox.store(dead({ isrc }))) as [number];
  await outbox.store({ isrc });
  await act(outbox.sql, { kind: 'requeue' }, { selection: { isrcs: [isrc] }, reason });
  const story = await readRecording(outbox.sql, isrc.toLowerCase());
  expect(story).toMatchObject({
    isrc,
    title: 'So What',
    state: 'pending',
    requests: [{ id, status: 'pending' }, { status: 'pending' }],
    actions: [{ action: 'requeue', reason }],
  });
  expect(await readRecording(outbox.sql, 'TESTS9999999')).toBeNull();
  expect(await readRecording(outbox.sql, 'no isrc')).toBeNull();
});
