import { useDatabase } from '@segue/testing/database.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { type RunOptions, outbox as run } from './terminal.ts';

const database = useDatabase();
beforeEach(async () => {
  await database.sql`TRUNCATE ingestion_outbox, ingestion_ledger, ingestion_actions, relays`;
  await database.sql`UPDATE relay_control SET paused_at = NULL, paused_by = NULL, paused_reason = NULL`;
});

const outbox = (args: string[], options: RunOptions = {}) =>
  run(args, { ...options, environment: { DATABASE_URL: database.url, ...options.environment } });

async function store(...rows: Record<string, unknown>[]): Promise<number[]> {
  const ids: number[] = [];
  for (const row of rows) {
    const whole = {
      isrc: 'USRC17607839',
      title: 'So What',
      artist: 'Miles Davis',
      album: 'Kind of Blue',
      ...row,
    };
    const [stored] = await database.sql<[{ id: number }]>`
      INSERT INTO ingestion_outbox ${database.sql(whole)} RETURNING id`;
    ids.push(stored.id);
  }
  return ids;
}

const dead = (given: Record<string, unknown> = {}) => ({
  status: 'dead',
  reason: 'Inngest: bad event',
  settled_at: new Date(),
  ...given,
});
const statusOf = async (id: number) =>
  (await database.sql`SELECT status FROM ingestion_outbox WHERE id = ${id}`)[0]?.status;
const why = ['--reason', 'mended'];

/** A relay that lives. */
const relay = () => database.sql`
  INSERT INTO relays (id, host, version) VALUES (gen_random_uuid(), 'box', '0.1.0')`;

describe('status', () => {
  test('exits 0 when all is well', async () => {
    await relay();
    const { code, stdout, stderr } = await outbox(['status']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('0 requests wait; 0 are dead.');
    expect(stdout).toContain('Nothing needs a person.');
  });

  test('exits 10 with what needs a person and what to do', async () => {
    await store(dead());
    const { code, stdout } = await outbox(['status']);
    expect(code).toBe(10);
    expect(stdout).toContain('failure  no relay has given a sign of life');
    expect(stdout).toContain('warning  1 requests are dead, 1 of them died within the last hour');
  });

  test('--json is one document', async () => {
    await store({});
    const { document, code } = await outbox(['status', '--json']);
    expect(code).toBe(10);
    expect(document()).toMatchObject({
      backlog: { open: 1, dead: 0 },
      stats: [{ status: 'pending', requests: 1, exact: true }],
      findings: [{ kind: 'no_relay' }],
    });
  });
});

describe('list', () => {
  test('prints a table, and where to go on to stderr', async () => {
    const ids = await store({}, {}, {});
    const { code, stdout, stderr } = await outbox(['list', '--limit', '2']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^id +isrc +title/);
    expect(stdout.trim().split('\n')).toHaveLength(4);
    const cursor = /--after (\S+)/.exec(stderr)?.[1] as string;
    const { document } = await outbox(['list', '--limit', '2', '--after', cursor, '--json']);
    expect(document()).toMatchObject({ rows: [{ id: ids[0] }], next: null });
  });

  test('filters by status and text', async () => {
    const [, id] = await store(dead(), dead({ title: 'Blue in Green' }));
    const { document } = await outbox(['list', '--status', 'dead', '--text', 'green', '--json']);
    expect(document()).toMatchObject({ rows: [{ id, reason: 'Inngest: bad event' }] });
  });

  test('clears control characters of a title', async () => {
    await store({ title: 'So\u001b[31m What' });
    expect((await outbox(['list'])).stdout).not.toContain('\u001b');
  });

  test.each([
    [['list', '--status', 'lost']],
    [['list', '--limit', 'many']],
    [['list', '--since', 'yesterday']],
    [['list', '--since', '0000-01-01']],
    [['list', '--attempts', '999999999999999']],
    [['list', '--after', 'xx']],
    [['watch', '--every', '0s']],
    [['watch', '--every', '30d']],
    [['pause', '--yes', '--reason', ' ']],
  ])('%s is wrong usage', async args => {
    expect(await outbox(args)).toMatchObject({ code: 2, stdout: '' });
  });
});

test('show tells the story of a recording in its order', async () => {
  const [id] = await store({ status: 'scheduled', settled_at: new Date(Date.now() + 2_000), generation: 3 });
  const { code, stdout } = await outbox(['show', 'US-RC1-76-07839']);
  expect(code).toBe(0);
  expect(stdout).toContain('USRC17607839  So What – Miles Davis (Kind of Blue)');
  expect(stdout).toMatch(
    new RegExp(
      `request ${id}: made[\\s\\S]*request ${id}: sent to Inngest as track-ingestion:USRC17607839:3`,
    ),
  );
});

test('show cuts the texts of a recording that died of a title of megabytes', async () => {
  await store({ ...dead(), title: 'x'.repeat(4_000_000) });
  const { stdout } = await outbox(['show', 'USRC17607839']);
  expect(stdout).toMatch(/^USRC17607839 {2}x+… – Miles Davis \(Kind of Blue\)\n/);
  expect(stdout.length).toBeLessThan(1_000);
});

test.each([
  ['in a pipe', {}],
  ['at a terminal', { columns: 100 }],
])('show gives a terminal nothing to obey but our own styles, %s', async (_where, options) => {
  await store(
    dead({
      title: 'So\u001b]0;owned\u0007 What',
      reason: 'no\u001b[2J',
      last_error: '\u009b31m',
      artist: '\u202eMiles',
    }),
  );
  const { stdout } = await outbox(['show', 'USRC17607839'], options);
  const text = stdout.replace('\u001b[1m', '').replace('\u001b[22m', '');
  expect(text).toContain('So ]0;owned  What –  Miles');
  expect(text).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u);
  expect(text === stdout).toBe(!('columns' in options));
});

test('a refusal that repeats what was typed gives the terminal nothing to obey', async () => {
  const { stderr } = await outbox(['show', 'US\u001b[2J']);
  expect(stderr).toContain('nothing is known of US [2J');
});

test('show exits 1 for a recording that nobody asked for, with --json, too', async () => {
  const { code, document, stderr } = await outbox(['show', 'USRC10000000', '--json']);
  expect(code).toBe(1);
  expect(stderr).toContain('nothing is known of USRC10000000');
  expect(document()).toMatchObject({ error: { kind: 'failed' } });
});

describe('requeue', () => {
  test('asks with the number of rows, and does it on yes', async () => {
    const [id] = (await store(dead())) as [number];
    const { code, stdout, stderr } = await outbox(['requeue', String(id), ...why], { typed: 'y\n' });
    expect(stderr).toContain('Requeue 1 requests? [y/N]');
    expect(stdout).toMatch(/^1 requests changed \(action \d+\)\.\n$/);
    expect(code).toBe(0);
    expect(await statusOf(id)).toBe('pending');
  });

  test.each(['n\n', ''])('changes nothing on %j, and exits 1', async typed => {
    const [id] = (await store(dead())) as [number];
    expect((await outbox(['requeue', String(id), ...why], { typed })).code).toBe(1);
    expect(await statusOf(id)).toBe('dead');
  });

  test('where nobody can be asked, it needs --yes', async () => {
    const [id] = (await store(dead())) as [number];
    expect(await outbox(['requeue', String(id), ...why])).toMatchObject({ code: 2 });
    expect(await statusOf(id)).toBe('dead');
    expect((await outbox(['requeue', String(id), '--yes', ...why])).code).toBe(0);
    expect(await statusOf(id)).toBe('pending');
  });

  test('it asks where the count has seen 100,000 requests and none that fits', async () => {
    await database.sql`
      INSERT INTO ingestion_outbox (isrc, title, artist, album)
      SELECT 'HA' || lpad(n::text, 10, '0'), 'Hay', 'A', 'B' FROM generate_series(1, 100000) AS n`;
    await store({ title: 'Needle' });
    const discard = ['discard', '--status', 'pending', '--text', 'Needle', ...why];
    const { code, stderr } = await outbox(discard);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('Discard an unknown number of requests?'),
    });
    expect((await outbox([...discard, '--yes'])).stdout).toContain('1 requests changed');
  });

  test('--dry-run counts and changes nothing, whatever the reason would be', async () => {
    const [id] = (await store(dead(), dead({ reason: 'other' }))) as [number];
    const { code, stdout } = await outbox(['requeue', '--error', 'bad event', '--dry-run']);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'Requeue would change 1 requests; nothing was changed.\n',
    });
    expect(await statusOf(id)).toBe('dead');
  });

  test('what moved meanwhile is refused with what it is now', async () => {
    const [id] = await store({});
    const { code, stderr, document } = await outbox(['requeue', String(id), '--yes', '--json', ...why]);
    expect(code).toBe(1);
    expect(stderr).toContain(`request ${id} is pending already`);
    expect(document()).toMatchObject({ error: { kind: 'refused' }, refusals: [{ id, status: 'pending' }] });
  });

  test('by ISRC, and the reason is kept with who gave it', async () => {
    await store(dead());
    await outbox(['requeue', 'USRC17607839', '--yes', '--actor', 'ada', ...why]);
    const { document } = await outbox(['actions', '--json']);
    expect(document()).toMatchObject({
      actions: [{ actor: 'ada', action: 'requeue', reason: 'mended', rows: 1, source: 'segue-outbox' }],
    });
  });

  test.each([
    ['without a reason', ['requeue', '1', '--yes']],
    ['without saying which', ['requeue', '--yes', ...why]],
    ['by two ways of saying which', ['requeue', '1', '--all', '--yes', ...why]],
    ['by ids and ISRCs', ['requeue', '15', 'USRC17607839', '--yes', ...why]],
  ])('%s it is wrong usage', async (_, args) => {
    expect((await outbox(args)).code).toBe(2);
  });
});

test('discard, reschedule and prune change what they say', async () => {
  const [deadId, pending] = (await store(dead(), {})) as [number, number];
  expect((await outbox(['discard', '--all', '--yes', ...why])).stdout).toContain('1 requests changed');
  expect(await statusOf(deadId)).toBe('skipped');
  expect((await outbox(['reschedule', String(pending), '--in', '2h', '--yes', ...why])).code).toBe(0);
  expect((await outbox(['list', '--waits', '--json'])).document()).toMatchObject({ rows: [{ id: pending }] });
  await store({ status: 'scheduled', settled_at: new Date(0), created_at: new Date(0) });
  expect((await outbox(['prune', '--older-than', '7d', '--yes', ...why])).stdout).toBe(
    '1 settled requests deleted.\n',
  );
});

test('pause and resume are kept in the database, and pausing twice is refused', async () => {
  expect((await outbox(['pause', '--yes', ...why])).code).toBe(0);
  const again = await outbox(['pause', '--yes', ...why]);
  expect(again.code).toBe(1);
  expect(again.stderr).toContain('sending is paused already');
  expect((await outbox(['status', '--json'])).document()).toMatchObject({
    findings: expect.arrayContaining([expect.objectContaining({ kind: 'paused' })]),
  });
  expect((await outbox(['resume', '--yes', ...why])).code).toBe(0);
  expect((await outbox(['resume', '--yes', ...why])).code).toBe(1);
});

test('watch writes a line each time in a pipe, and redraws in place at a terminal', async () => {
  await relay();
  const piped = await outbox(['watch', '--every', '1s', '--for', '1s']);
  expect(piped.code).toBe(0);
  expect(JSON.parse(piped.stdout.trim().split('\n')[0] as string)).toMatchObject({ open: 0, findings: [] });
  const drawn = await outbox(['watch', '--every', '1s', '--for', '2s'], { columns: 100 });
  expect(drawn.stdout).toContain('\u001b[0J');
  expect(drawn.stdout).toMatch(new RegExp(`${'\u001b'}\\[\\d+A`));
});

test('Ctrl-C ends a watch with 130', async () => {
  const interruption = new AbortController();
  const watching = outbox(['watch', '--every', '1s'], { interrupted: interruption.signal });
  interruption.abort();
  expect((await watching).code).toBe(130);
});

test('watch --json is a document a line, also when it ends with Ctrl-C', async () => {
  const interruption = new AbortController();
  const { code, stdout } = await outbox(['watch', '--every', '1s', '--json'], {
    interrupted: interruption.signal,
    onStdout: () => interruption.abort(),
  });
  expect(code).toBe(130);
  expect(
    stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line)),
  ).toMatchObject([{ open: 0 }]);
});

test('prune asks before it deletes, also where the count found none among the requests that it looked at', async () => {
  const old = { created_at: new Date(0), settled_at: new Date(0), status: 'scheduled' };
  await database.sql`
    INSERT INTO ingestion_outbox (isrc, title, artist, album, created_at, available_at)
    SELECT 'USRC17607839', 'So What', 'Miles Davis', 'Kind of Blue', to_timestamp(0), now() FROM generate_series(1, 100_000)`;
  const [id] = (await store(old)) as [number];
  const asked = await outbox(['prune', '--older-than', '7d', ...why], { typed: 'n\n' });
  expect(asked).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Delete an unknown number of settled requests?'),
  });
  expect(await statusOf(id)).toBe('scheduled');
});

test('NO_COLOR leaves a terminal plain', async () => {
  const coloured = await outbox(['status'], { columns: 100 });
  expect(coloured.stdout).toContain('\u001b[31m');
  const plain = await outbox(['status'], { columns: 100, environment: { NO_COLOR: '1' } });
  expect(plain.stdout).not.toContain('\u001b');
});

test('a database that is away is told in one line', async () => {
  const environment = { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' };
  const { code, stderr } = await run(['status', '--json'], { environment });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: the database of DATABASE_URL .* cannot be reached/);
});
