import type { Isrc } from '@segue/ingestion/isrc.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { enqueue, enqueueAlbum, newRequest, useOutbox } from './test/outbox.ts';

const outbox = useOutbox();

const stored = () => outbox.sql`
  SELECT isrc, title, artist, album, artwork_url, priority, force, album_batch_id, status, attempts, lease,
    available_at = created_at AS due_at_once, settled_at, reason, last_error
  FROM ingestion_outbox ORDER BY id`;

const untouched = {
  status: 'pending',
  attempts: 0,
  lease: null,
  due_at_once: true,
  settled_at: null,
  reason: null,
  last_error: null,
};

describe('one recording', () => {
  test('is a row that is due at once, of no album, with the defaults of what was not given', async () => {
    const request = newRequest();
    await enqueue(outbox.sql, request);
    expect(await stored()).toEqual([
      { ...untouched, ...request, artwork_url: null, priority: 0, force: false, album_batch_id: null },
    ]);
  });

  test('is a row with all that was given', async () => {
    const { artworkUrl, ...request } = newRequest({
      artworkUrl: 'https://art/1',
      priority: -600,
      force: true,
    });
    await enqueue(outbox.sql, { ...request, artworkUrl: 'https://art/1' });
    expect(await stored()).toEqual([
      { ...untouched, ...request, artwork_url: artworkUrl, album_batch_id: null },
    ]);
  });

  test('is gone with the transaction that asked for it', async () => {
    const transaction = outbox.sql.begin(async transaction => {
      await enqueue(transaction, newRequest());
      await enqueueAlbum(transaction, [newRequest()]);
      throw new Error('given up');
    });
    await expect(transaction).rejects.toThrow('given up');
    expect(await stored()).toEqual([]);
    expect(await outbox.sql`SELECT FROM album_ingestion_batches`).toEqual([]);
  });

  test.each([{ isrc: 'TOO-SHORT' as Isrc }, { priority: 601 }, { priority: -601 }])(
    'is refused with %j',
    async wrong => {
      const refused = { code: '23514' };
      await expect(enqueue(outbox.sql, newRequest(wrong))).rejects.toMatchObject(refused);
      await expect(enqueueAlbum(outbox.sql, [newRequest(), newRequest(wrong)])).rejects.toMatchObject(
        refused,
      );
      expect(await stored()).toEqual([]);
    },
  );
});

describe('an album', () => {
  test('is one row a recording, in the order given, and a batch that counts them', async () => {
    const requests = Array.from({ length: 46 }, (_, index) => newRequest({ title: `Track ${index + 1}` }));
    await enqueueAlbum(outbox.sql, requests);

    const batches = await outbox.sql`
      SELECT id, total_tracks, scheduled_count, skipped_count, dead_count FROM album_ingestion_batches`;
    expect(batches).toMatchObject([
      { total_tracks: 46, scheduled_count: 0, skipped_count: 0, dead_count: 0 },
    ]);
    const rows = await stored();
    expect(rows).toEqual(
      requests.map(request => ({
        ...untouched,
        ...request,
        artwork_url: null,
        priority: 0,
        force: false,
        album_batch_id: batches[0]?.id,
      })),
    );
  });

  test('keeps what each recording has, and the same recording twice', async () => {
    const isrc = newRequest().isrc;
    await enqueueAlbum(outbox.sql, [
      newRequest({ isrc, artworkUrl: 'https://art/1', priority: 600 }),
      newRequest({ isrc, force: true, priority: -600 }),
    ]);
    expect(await stored()).toMatchObject([
      { isrc, artwork_url: 'https://art/1', priority: 600, force: false },
      { isrc, artwork_url: null, priority: -600, force: true },
    ]);
  });

  test('keeps every text as it is: an array parameter has a grammar of its own', async () => {
    const awkward = fc.constantFrom(...'"\'\\{},\n\t 🎻é', 'NULL', 'null', '');
    // PostgreSQL stores neither NUL nor half of a surrogate pair.
    const text = fc.string({ unit: fc.oneof(awkward, fc.string({ unit: 'grapheme', maxLength: 1 })) });
    const storable = text.filter(value => !value.includes('\0') && value.isWellFormed());
    const recording = fc.record({ title: storable, artist: storable, album: storable, artworkUrl: storable });

    await fc.assert(
      fc.asyncProperty(fc.array(recording, { minLength: 1, maxLength: 10 }), async recordings => {
        await outbox.sql`TRUNCATE ingestion_outbox`;
        await enqueueAlbum(outbox.sql, recordings.map(newRequest));
        expect(await stored()).toMatchObject(
          recordings.map(({ artworkUrl, ...texts }) => ({ ...texts, artwork_url: artworkUrl })),
        );
      }),
      { numRuns: 50 },
    );
  });
});
