import { useDatabase } from '@segue/testing/database.ts';
import { beforeAll, describe, expect, test } from 'vitest';
import { createConsole } from '../test/console.ts';
import { fillScene } from '../test/scene.ts';

/** Mirrors what comes after it, and would end an isolation early. */
const mirroring = 'Song \u2069\u2067\u202edaed';
/** Half of each emoji would be at the odd places, where texts are cut. */
const long = `${mirroring} x${'😀'.repeat(250_000)}`;

const ofThem = [
  '/console/',
  '/console/requests',
  '/console/requests?status=dead',
  '/console/requests?q=%E2%80%AEdaed&error=%E2%80%AEdaed&album=%E2%80%AEdaed',
  '/console/recordings/USHSTL000001',
  '/console/recordings/%E2%80%AEdaed',
  '/console/albums',
  '/console/albums/2',
  '/console/act?action=requeue&scope=chosen&id=99999',
  '/console/act?action=discard&scope=chosen&id=99998',
  '/console/act?scope=all&action=requeue&status=dead',
  '/console/actions',
  '/console/actions/99',
  '/console/sending',
];

const database = useDatabase();

beforeAll(async () => {
  const { sql } = database;
  await fillScene(sql);
  await sql`
    INSERT INTO ingestion_outbox (id, isrc, title, artist, album, status, reason, last_error, attempts, settled_at)
    OVERRIDING SYSTEM VALUE
    VALUES (99999, 'USHSTL000001', ${long}, ${long}, ${long}, 'dead', ${long}, ${long}, 10, now()),
      (99998, 'USHSTL000001', ${long}, ${long}, ${long}, 'pending', NULL, ${long}, 3, NULL),
      (99997, 'USHSTL000001', ${long}, ${long}, ${long}, 'skipped', ${long}, ${long}, 3, now())`;
  await sql`
    INSERT INTO ingestion_actions (id, actor, action, reason, rows, selection, source, outbox_ids)
    OVERRIDING SYSTEM VALUE
    VALUES (99, ${long}, ${long}, ${long}, 1, ${JSON.stringify({ error: long })}::text::jsonb, ${long}, '{99999}')`;
  await sql`INSERT INTO album_ingestion_batches (artist, album, total_tracks) VALUES (${long}, ${long}, 1)`;
  const [album] = await sql`
    INSERT INTO library_albums (user_id, tidal_album_id, title, artist_name, track_count, track_listing)
    VALUES ('ada', '78', ${long}, ${long}, 6, '[]') RETURNING id`;
  await sql`
    INSERT INTO catalog_pending (item_id, kind, tidal_id, tracks_owed, album_batch_id, created_at, attempts, failing_since, last_error)
    VALUES (${album?.id}, 'album', '78', 4, 2, now() - interval '1 year', 1, now(), ${long})`;
  await sql`INSERT INTO relays (id, host, version) VALUES ('6f2c0de4-0000-4000-8000-000000000003', ${long}, ${long})`;
  await sql`UPDATE relay_slots SET owner = '6f2c0de4-0000-4000-8000-000000000003'`;
  await sql`UPDATE relay_control SET paused_at = now(), paused_by = ${long}, paused_reason = ${long}`;
});

/** What is left of a page without what is isolated. The field of a form is isolated by itself. */
function besides(page: string): string {
  return page
    .replace(/<bdi>[^<]*<\/bdi>/g, '')
    .replace(/\u2068[^\u2066-\u2069]*\u2069/g, '')
    .replace(/<input [^>]*>/g, field => field.replace(/value="[^"]*"/, ''));
}

describe.each(['while sending is paused', 'while relays send'])('%s', state => {
  beforeAll(async () => {
    if (state === 'while relays send') await database.sql`UPDATE relay_control SET paused_at = NULL`;
  });

  test.each(ofThem)('%s isolates and cuts every text from outside', async url => {
    const server = await createConsole({ sql: database.sql });
    const { body } = await server.inject({ url, headers: { host: 'localhost' } });
    if (state === 'while sending is paused') expect(body).toContain('\u202edaed');
    expect(besides(body).match(/.{0,80}[\u202e\u2066-\u2069]/)?.[0]).toBeUndefined();
    expect(body.match(/<bdi>[^<]*[\u2066-\u2069]/)?.[0]).toBeUndefined();
    expect(body.includes('\ufffd')).toBe(false);
    expect(body.match(/(?:😀){501}/)).toBeNull();
    expect(body.length).toBeLessThan(80_000);
  });
});
