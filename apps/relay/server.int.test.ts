import { connect, type Sql } from '@segue/database/connection.ts';
import { ConfigurationError } from '@segue/process/environment.ts';
import { createLogger } from '@segue/telemetry/logger.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openAccess } from './console/test/console.ts';
import { Breaker, type BreakerOptions } from './guards/breaker.ts';
import { DatabaseFigures } from './reporting/databaseFigures.ts';
import { Metrics } from './reporting/metrics.ts';
import { figuresOf } from './reporting/settledFigures.ts';
import { startServer } from './server.ts';
import { openRow } from './test/rows.ts';

const database = useDatabase();
beforeEach(async () => {
  await database.sql`TRUNCATE ingestion_outbox`;
});

const hour = { firstWaitMs: 3_600_000, longestWaitMs: 3_600_000 };

/** A breaker that is for a probe as soon as a call has failed. */
const impatient = { firstWaitMs: 0, longestWaitMs: 0 };

async function start({
  sql = database.sql,
  port = 0,
  waits = hour,
  metricsToken,
}: {
  sql?: Sql;
  port?: number;
  waits?: BreakerOptions;
  metricsToken?: string;
} = {}) {
  const breakers = { inngestBreaker: new Breaker(waits), indexBreaker: new Breaker(waits) };
  const figures = new DatabaseFigures({ sql, everyMs: 20, shareOfTime: 1 });
  figures.start();
  const metrics = new Metrics({ figures, ...breakers });
  const logger = createLogger('relay', 'silent');
  const console = { sql, access: openAccess, health: () => [] };
  onTestFinished(() => figures.stop());
  const server = await startServer({
    sql,
    ...breakers,
    metrics,
    metricsToken,
    console,
    logger,
    host: '127.0.0.1',
    port,
    allowedHosts: ['relay'],
  });
  onTestFinished(() => server.close());
  const get = async (path: string) => {
    const response = await fetch(`${server.listeningOrigin}${path}`);
    return { status: response.status, text: await response.text() };
  };
  const statusFor = async (host: string, path: string) =>
    (await server.inject({ url: path, headers: { host } })).statusCode;
  return { ...breakers, metrics, get, statusFor, port: Number(new URL(server.listeningOrigin).port) };
}

/** A pool whose database is nowhere. */
function away(): Sql {
  const sql = connect({ url: 'postgres://127.0.0.1:1/nowhere', applicationName: 'segue-relay', max: 1 });
  onTestFinished(() => sql.end({ timeout: 1 }));
  return sql;
}

describe('/readyz', () => {
  test('is 200 while all is well', async () => {
    const { get } = await start();
    const { status, text } = await get('/readyz');
    const since = expect.stringMatching(/^2\d{3}-.*Z$/);
    expect([status, JSON.parse(text)]).toEqual([
      200,
      {
        status: 'ready',
        database: 'ok',
        inngest: 'ok',
        qdrant: 'ok',
        since: { database: since, inngest: since, qdrant: since },
      },
    ]);
  });

  test.each([
    // It may answer, and refuse the key or the load.
    ['inngest', 'takes no events'],
    ['qdrant', 'does not answer'],
  ] as const)('says that %s is held back, and is 200: nothing is lost', async (name, reason) => {
    const { get, inngestBreaker, indexBreaker } = await start();
    const breaker = name === 'inngest' ? inngestBreaker : indexBreaker;
    breaker.failed();
    const { status, text } = await get('/readyz');
    expect([status, JSON.parse(text)]).toMatchObject([
      200,
      {
        status: 'degraded',
        [name]: 'degraded',
        reasons: { [name]: expect.stringContaining(reason) },
      },
    ]);
    breaker.succeeded();
    expect(JSON.parse((await get('/readyz')).text)).toMatchObject({ status: 'ready', [name]: 'ok' });
  });

  test('is ready once the wait is over, for a relay that has nothing to find out with whether Inngest is back', async () => {
    const { get, inngestBreaker, indexBreaker } = await start({ waits: impatient });
    inngestBreaker.failed();
    indexBreaker.failed();
    const { status, text } = await get('/readyz');
    expect([status, JSON.parse(text)]).toMatchObject([200, { status: 'ready', inngest: 'ok', qdrant: 'ok' }]);
  });

  test('is degraded while it is being found out, which takes 8 s where Inngest hangs', async () => {
    const { get, inngestBreaker } = await start({ waits: impatient });
    inngestBreaker.failed();
    const answer = Promise.withResolvers<void>();
    const call = inngestBreaker.during(() => answer.promise);
    const statusNow = async () => JSON.parse((await get('/readyz')).text).status;
    expect(await statusNow()).toBe('degraded');
    answer.resolve();
    await call;
    expect(await statusNow()).toBe('ready');
  });

  test('is 503 without a database, and says why; /livez is 200', async () => {
    const { get } = await start({ sql: away() });
    const { status, text } = await get('/readyz');
    expect([status, JSON.parse(text)]).toMatchObject([
      503,
      {
        status: 'waiting',
        database: 'unavailable',
        reasons: { database: expect.stringContaining('ECONNREFUSED') },
      },
    ]);
    expect((await get('/livez')).status).toBe(200);
  });
});

describe('/metrics', () => {
  const figure = (text: string, name: string) => {
    const line = text.split('\n').find(line => line.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length));
  };

  test('has what waits in the outbox, as it was read last', async () => {
    const { get } = await start();
    await database.sql`
      INSERT INTO ingestion_outbox (isrc, title, artist, album, created_at, available_at)
      VALUES ('USRC17607839', 'Title', 'Artist', 'Album', now() - interval '1 hour', now() + interval '1 hour'),
        ('USUM72409273', 'Title', 'Artist', 'Album', now(), now())`;
    await eventually(async () => {
      const { status, text } = await get('/metrics');
      expect(status).toBe(200);
      expect(figure(text, 'segue_outbox_rows{state="due"}')).toBe(1);
      expect(figure(text, 'segue_outbox_rows{state="waiting"}')).toBe(1);
      expect(figure(text, 'segue_outbox_oldest_seconds')).toBeGreaterThanOrEqual(3_600);
      expect(figure(text, 'segue_outbox_oldest_due_seconds')).toBeLessThan(60);
      expect(figure(text, 'segue_database_read_success')).toBe(1);
    });

    await database.sql`UPDATE ingestion_outbox SET status = 'scheduled', settled_at = now()`;
    await eventually(async () => {
      const { text } = await get('/metrics');
      expect(figure(text, 'segue_outbox_rows{state="due"}')).toBe(0);
      expect(figure(text, 'segue_outbox_oldest_seconds')).toBe(0);
    });
  });

  test('has the breakers, and what became of rows', async () => {
    const { get, inngestBreaker, metrics } = await start();
    inngestBreaker.failed();
    const row = openRow({ requestedMs: Date.now() - 20_000 });
    const report = {
      gathered: 3,
      scheduled: [row, row],
      indexed: [row],
      duplicates: [row],
      refused: [
        { row, error: '', dead: true },
        { row, error: '', dead: false },
      ],
      left: 2,
      lost: 3,
      closed: [],
      durations: { send: 7, settle: 3 },
      durationMs: 20,
    };
    metrics.batchDone(figuresOf(report));
    const { text } = await get('/metrics');
    expect(figure(text, 'segue_relay_breaker_state{service="inngest",state="open"}')).toBe(1);
    expect(figure(text, 'segue_relay_breaker_state{service="inngest",state="closed"}')).toBe(0);
    expect(figure(text, 'segue_relay_breaker_state{service="qdrant",state="closed"}')).toBe(1);
    expect(figure(text, 'segue_relay_rows_claimed_total')).toBe(14);
    const outcomes = {
      scheduled: 5,
      already_indexed: 1,
      duplicate: 1,
      dead: 1,
      refused: 1,
      left: 2,
      lost: 3,
    };
    for (const [outcome, count] of Object.entries(outcomes)) {
      expect(figure(text, `segue_relay_rows_total{outcome="${outcome}"}`)).toBe(count);
    }
    expect(figure(text, 'segue_relay_commit_to_sent_seconds_bucket{le="10"}')).toBe(0);
    expect(figure(text, 'segue_relay_commit_to_sent_seconds_bucket{le="60"}')).toBe(2);
    expect(figure(text, 'segue_relay_step_seconds_count{step="send"}')).toBe(1);
    expect(figure(text, 'segue_relay_step_seconds_count{step="ask"}')).toBe(0);
  });

  test('is 200 without a database, with what there is', async () => {
    const { get } = await start({ sql: away() });
    await eventually(async () => {
      const { status, text } = await get('/metrics');
      expect(status).toBe(200);
      expect(figure(text, 'segue_database_read_success')).toBe(0);
      expect(figure(text, 'segue_database_read_age_seconds')).toBeUndefined();
      expect(figure(text, 'segue_outbox_rows{state="due"}')).toBeUndefined();
      expect(figure(text, 'segue_relay_rows_total{outcome="dead"}')).toBe(0);
      expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
    });
  });

  test('keeps the last figures, and their age, when the database goes away', async () => {
    await database.sql`
      INSERT INTO ingestion_outbox (isrc, title, artist, album) VALUES ('USRC17607839', 'Title', 'Artist', 'Album')`;
    const sql = connect({ url: database.url, applicationName: 'segue-relay', max: 1 });
    const { get } = await start({ sql });
    await eventually(async () => {
      expect(figure((await get('/metrics')).text, 'segue_database_read_success')).toBe(1);
    });
    await sql.end({ timeout: 1 });
    await eventually(async () => {
      const { text } = await get('/metrics');
      expect(figure(text, 'segue_database_read_success')).toBe(0);
      expect(figure(text, 'segue_outbox_rows{state="due"}')).toBe(1);
      expect(figure(text, 'segue_database_read_age_seconds')).toBeGreaterThan(0);
    });
  });

  test('asks for METRICS_TOKEN where it is set', async () => {
    const { get } = await start({ metricsToken: 'a-token-of-operators' });
    expect((await get('/metrics')).status).toBe(401);
  });
});

test('the console and the figures are 403 for a host that is not listed, and health is not', async () => {
  const { statusFor } = await start();
  for (const path of ['/', '/metrics']) {
    expect(await statusFor('evil.example.com', path)).toBe(403);
    expect(await statusFor('relay:4100', path)).not.toBe(403);
  }
  for (const path of ['/livez', '/readyz']) expect(await statusFor('10.1.2.3', path)).toBe(200);
});

test('a port that is taken is a configuration error that names the variable', async () => {
  const { port } = await start();
  await expect(start({ port })).rejects.toThrow(
    new ConfigurationError(`RELAY_PORT ${port} is taken on 127.0.0.1; choose another`),
  );
});
