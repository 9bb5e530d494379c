import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openRow } from '../test/rows.ts';
import { eventOf, sizeBound, sizeOf } from './event.ts';

test('a request makes the event of the contract', () => {
  const row = openRow({ title: 'So What', artworkUrl: 'https://art/1', priority: 5, force: true });
  expect(eventOf(row, 3)).toEqual({
    id: `track-ingestion:${row.isrc}:3`,
    name: 'track/ingestion.requested',
    ts: Date.parse('2026-11-23T12:00:00.123Z'),
    data: {
      isrc: row.isrc,
      title: 'So What',
      artist: 'Miles Davis',
      album: 'Kind of Blue',
      artworkUrl: 'https://art/1',
      priority: 5,
      force: true,
    },
  });
});

test.each([null, ''])('without artwork (%j) the event has no such field', artworkUrl => {
  expect(eventOf(openRow({ artworkUrl }), 1).data).not.toHaveProperty('artworkUrl');
});

test('no event has more bytes than its bound', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'é', '☃', '🎻', '"', '\u0001', '\\'), maxLength: 400 });
  fc.assert(
    fc.property(text, text, text, fc.option(text), (title, artist, album, artworkUrl) => {
      const bytes = Buffer.byteLength(title + artist + album + (artworkUrl ?? ''));
      const row = openRow({ title, artist, album, artworkUrl, bytes });
      expect(sizeOf(eventOf(row, 1))).toBeLessThanOrEqual(sizeBound(row));
    }),
  );
});
