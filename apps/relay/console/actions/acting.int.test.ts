import { readAction, readActions } from '@segue/outbox/operate/actions.ts';
import { readSending } from '@segue/outbox/operate/sending.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { eventually } from '@segue/testing/eventually.ts';
import type { FastifyInstance } from 'fastify';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  actingToken,
  createConsole,
  form,
  fromOwnPage,
  guardedAccess,
  readingToken,
} from '../test/console.ts';

const database = useDatabase();

beforeEach(async () => {
  await database.sql`TRUNCATE ingestion_outbox, ingestion_actions`;
  await database.sql`UPDATE relay_control SET paused_at = NULL, paused_by = NULL, paused_reason = NULL`;
});

const asActing = { authorization: `Bearer ${actingToken}` };
const asReading = { authorization: `Bearer ${readingToken}` };

function get(server: FastifyInstance, url: string, headers: Record<string, string> = {}) {
  return server.inject({ url, headers: { host: 'localhost', ...headers } });
}

function post(
  server: FastifyInstance,
  url: string,
  fields: Record<string, string | string[]>,
  headers: Record<string, string> = {},
) {
  return server.inject({
    method: 'POST',
    url,
    headers: { host: 'localhost', ...fromOwnPage, ...headers },
    payload: form(fields),
  });
}

/** Adds requests, and returns their ids. */
async function add(
  status: 'pending' | 'dead',
  count = 1,
  given: Record<string, unknown> = {},
): Promise<number[]> {
  const rows = Array.from({ length: count }, (_, at) => ({
    isrc: `US${status === 'dead' ? 'D' : 'P'}${String(at).padStart(9, '0')}`,
    title: 'T',
    artist: 'A',
    album: 'B',
    status,
    reason: status === 'dead' ? '400: no' : null,
    settled_at: status === 'dead' ? new Date() : null,
    ...given,
  }));
  const added = await database.sql<{ id: number }[]>`
    INSERT INTO ingestion_outbox ${database.sql(rows)} RETURNING id`;
  return added.map(({ id }) => id);
}

const statuses = async () =>
  (await database.sql<{ status: string }[]>`SELECT status FROM ingestion_outbox ORDER BY id`).map(
    ({ status }) => status,
  );

/** The fields of the form that the confirmation shows. */
function hiddenFields(body: string): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = {};
  const [confirming = ''] = /<form method="post"[\s\S]*?<\/form>/.exec(body) ?? [];
  for (const [, name = '', value = ''] of confirming.matchAll(
    /<input type="hidden" name="([^"]+)" value="([^"]*)"/g,
  )) {
    const before = fields[name];
    fields[name] = before === undefined ? value : [before, value].flat();
  }
  return fields;
}

async function confirmAndAct(server: FastifyInstance, address: string, more: Record<string, string> = {}) {
  const confirmation = await get(server, address);
  expect(confirmation.statusCode).toBe(200);
  const answer = await post(server, '/console/act', {
    ...hiddenFields(confirmation.body),
    why: 'it is mended',
    ...more,
  });
  return { confirmation: confirmation.body, answer };
}

describe('acting on chosen requests', () => {
  test('says how many, asks why, and records it', async () => {
    const server = await createConsole({ sql: database.sql });
    const [one, two] = await add('dead', 3);
    const { confirmation, answer } = await confirmAndAct(
      server,
      `/console/act?scope=chosen&action=requeue&id=${one}&id=${two}`,
    );
    expect(confirmation).toContain('Requeue 2 requests?');
    expect(answer.statusCode).toBe(303);
    expect(await statuses()).toEqual(['pending', 'pending', 'dead']);
    expect(await readActions(database.sql)).toMatchObject([
      {
        action: 'requeue',
        rows: 2,
        reason: 'it is mended',
        actor: 'console on this machine',
        selection: { ids: [one, two] },
      },
    ]);
    const page = await get(server, String(answer.headers.location));
    expect(page.body).toContain('2 requests changed.');
  });

  test('without a reason changes nothing', async () => {
    const server = await createConsole({ sql: database.sql });
    const [id] = await add('dead');
    const { answer } = await confirmAndAct(server, `/console/act?scope=chosen&action=discard&id=${id}`, {
      why: ' ',
    });
    expect([answer.statusCode, answer.body]).toEqual([400, expect.stringContaining('Say why')]);
    expect(await statuses()).toEqual(['dead']);
  });

  test.each(['requeue', 'discard'])(
    '%s of a request that has moved on is 409, and shows what it is now',
    async action => {
      const server = await createConsole({ sql: database.sql });
      const [id] = await add('dead');
      const { body } = await get(server, `/console/act?scope=chosen&action=${action}&id=${id}`);
      await database.sql`UPDATE ingestion_outbox SET status = 'pending', settled_at = NULL`;
      const answer = await post(server, '/console/act', { ...hiddenFields(body), why: 'it is mended' });
      expect(answer.statusCode).toBe(409);
      expect(answer.body).toMatch(/What they are now[\s\S]*pending/);
      expect(await statuses()).toEqual(['pending']);
      expect(await readActions(database.sql)).toEqual([]);
    },
  );

  test('a request that is gone is 409, too', async () => {
    const server = await createConsole({ sql: database.sql });
    const [id] = await add('dead');
    const { body } = await get(server, `/console/act?scope=chosen&action=requeue&id=${id}`);
    await database.sql`DELETE FROM ingestion_outbox`;
    const answer = await post(server, '/console/act', { ...hiddenFields(body), why: 'it is mended' });
    expect([answer.statusCode, answer.body]).toEqual([
      409,
      expect.stringContaining('1 request no longer kept'),
    ]);
  });

  test('reschedules to the moment that is chosen', async () => {
    const server = await createConsole({ sql: database.sql });
    const [id] = await add('pending');
    await confirmAndAct(server, `/console/act?scope=chosen&action=reschedule&id=${id}`, { delay: '1h' });
    const [row] =
      await database.sql`SELECT extract(epoch FROM available_at - now())::int AS seconds FROM ingestion_outbox`;
    expect(row?.seconds).toBeGreaterThan(3_500);
    expect(row?.seconds).toBeLessThanOrEqual(3_600);
  });

  test('forces where it is ticked', async () => {
    const server = await createConsole({ sql: database.sql });
    const [id] = await add('dead');
    await confirmAndAct(server, `/console/act?scope=chosen&action=requeue&id=${id}`, { force: 'yes' });
    expect(await database.sql`SELECT status, force FROM ingestion_outbox`).toEqual([
      { status: 'pending', force: true },
    ]);
  });

  test.each([
    '/console/act?action=requeue',
    '/console/act?action=drop&id=1',
    '/console/act?action=requeue&id=-1',
    '/console/act?action=requeue&id=9e9&id=0x10',
    `/console/act?action=requeue&id=${'9'.repeat(30)}`,
  ])('%s names nothing, and is 400', async address => {
    const server = await createConsole({ sql: database.sql });
    expect((await get(server, address)).statusCode).toBe(400);
  });
});

describe('acting on all that match', () => {
  test('does it in steps, shows how far it is, and is one action', async () => {
    const server = await createConsole({ sql: database.sql });
    await add('dead', 1_700);
    const [other] = await add('dead', 1, { isrc: 'GBAYE0601498', reason: 'else' });
    const { confirmation, answer } = await confirmAndAct(
      server,
      '/console/act?scope=all&action=requeue&status=dead&error=no',
    );
    expect(confirmation).toContain('Requeue 1,700 requests?');
    const address = String(answer.headers.location);
    await eventually(async () => {
      const { body } = await get(server, `${address}/progress`);
      expect(body).toContain('1,700 requests changed.');
    });
    expect(await readActions(database.sql)).toMatchObject([{ action: 'requeue', rows: 1_700 }]);
    expect(await database.sql`SELECT id FROM ingestion_outbox WHERE status = 'dead'`).toEqual([
      { id: other },
    ]);
  });

  test('a relay that stops ends it between two steps, and what was done stays recorded', async () => {
    const server = await createConsole({ sql: database.sql });
    await add('dead', 1_700);
    const { answer } = await confirmAndAct(server, '/console/act?scope=all&action=discard&status=dead');
    await server.close();
    const action = await readAction(database.sql, Number(String(answer.headers.location).split('/').at(-1)));
    const changed = (await statuses()).filter(status => status === 'skipped').length;
    expect(action?.rows).toBe(changed);
    expect(changed).toBeGreaterThanOrEqual(500);
  });

  test('an action that does not fit the status says so', async () => {
    const server = await createConsole({ sql: database.sql });
    await add('pending');
    const answer = await get(server, '/console/act?scope=all&action=requeue&status=pending');
    expect([answer.statusCode, answer.body]).toEqual([
      400,
      expect.stringContaining('requeue changes requests that are dead'),
    ]);
  });
});

describe('pausing', () => {
  test('is recorded and shown on every page, until somebody resumes', async () => {
    const server = await createConsole({ sql: database.sql });
    expect(
      (await post(server, '/console/sending', { action: 'pause', why: 'Inngest asked us to' })).statusCode,
    ).toBe(303);
    expect((await readSending(database.sql)).paused).toMatchObject({ reason: 'Inngest asked us to' });
    for (const address of ['/console/', '/console/requests', '/console/albums', '/console/actions']) {
      expect((await get(server, address)).body).toContain('Sending is paused');
    }
    expect((await post(server, '/console/sending', { action: 'pause', why: 'again' })).statusCode).toBe(409);
    expect((await post(server, '/console/sending', { action: 'resume', why: 'it is over' })).statusCode).toBe(
      303,
    );
    expect((await readSending(database.sql)).paused).toBeNull();
    expect((await readActions(database.sql)).map(({ action }) => action)).toEqual(['resume', 'pause']);
  });
});

describe('whoever may only look', () => {
  const guarded = () => createConsole({ sql: database.sql, access: guardedAccess });

  test.each([
    ['GET', '/console/act?action=requeue&id=1', {}],
    ['POST', '/console/act', { action: 'requeue', id: '1', why: 'x' }],
    ['POST', '/console/sending', { action: 'pause', why: 'x' }],
  ] as const)('%s %s is 403 for them, and served to who may act', async (method, url, fields) => {
    const server = await guarded();
    const ask = (headers: Record<string, string>) =>
      server.inject({
        method,
        url,
        headers: { ...fromOwnPage, ...headers },
        ...(method === 'POST' && { payload: form(fields) }),
      });
    expect((await ask(asReading)).statusCode).toBe(403);
    expect(await readActions(database.sql)).toEqual([]);
    expect((await ask(asActing)).statusCode).not.toBe(403);
  });

  test('is shown no button', async () => {
    const server = await guarded();
    await add('dead');
    for (const address of ['/console/requests', '/console/sending', '/console/recordings/USD000000000']) {
      const { body, statusCode } = await get(server, address, asReading);
      expect(statusCode).toBe(200);
      expect(body).not.toMatch(/Requeue|Discard|<textarea/);
      expect(body).toContain('read-only');
    }
  });
});
