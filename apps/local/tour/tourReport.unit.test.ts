import type { IndexedDocument } from '@segue/track-index/document.ts';
import { expect, test } from 'vitest';
import type { ListedRecording } from './libraryApi.ts';
import { documentLines, type Request, tourTable } from './tourReport.ts';

const recording = (title: string, isrc: string | null, reason: string | null = null): ListedRecording => ({
  title,
  isrc,
  ingestion: { status: reason ? 'NOT_REQUESTED' : 'INDEXED', reason },
});
const request = (isrc: string, fields: Partial<Request>): Request => ({
  isrc,
  byAlbum: true,
  settled: true,
  status: 'scheduled',
  reason: null,
  generation: null,
  lastError: null,
  ...fields,
});

test('each recording has its line, as often as it was asked for', () => {
  const lines = tourTable(
    {
      track: recording('So What', 'USSM15900113'),
      album: {
        title: 'Kind of Blue',
        trackListing: [
          recording('So What', 'USSM15900113'),
          recording('Freddie Freeloader', 'USSM15900114'),
          recording('Blue in Green', 'USSM15900115'),
          recording('All Blues', 'USSM15900116'),
          recording('Flamenco Sketches (Alternate Take)', null, 'missing_isrc'),
        ],
      },
    },
    [
      request('USSM15900113', { byAlbum: false, generation: 2 }),
      request('USSM15900113', { status: 'skipped', reason: 'duplicate' }),
      request('USSM15900114', { status: 'skipped', reason: 'already_indexed' }),
      request('USSM15900115', { status: 'dead', reason: 'refused: too large' }),
      request('USSM15900116', { status: 'pending', settled: false, lastError: 'connect ECONNREFUSED' }),
    ],
  );
  expect(lines.slice(2).map(line => line.split(/\s{2,}/))).toEqual([
    ['So What', 'USSM15900113', 'track', 'scheduled', 'track-ingestion:USSM15900113:2', 'INDEXED'],
    ['So What', 'USSM15900113', 'album', 'skipped', 'duplicate', 'INDEXED'],
    ['Freddie Freeloader', 'USSM15900114', 'album', 'skipped', 'already_indexed', 'INDEXED'],
    ['Blue in Green', 'USSM15900115', 'album', 'dead', 'refused: too large', 'INDEXED'],
    ['All Blues', 'USSM15900116', 'album', 'waiting', 'connect ECONNREFUSED', 'INDEXED'],
    ['Flamenco Sketches (Alternate Take)', 'album', 'not requested', 'missing_isrc', 'NOT_REQUESTED'],
  ]);
});

test('a document is shown field by field, its vectors by their size', () => {
  const lines = documentLines({
    id: '5fd78b1e-0573-3677-91d0-56197cc6f1f7',
    payload: { title: 'So What', lyrics: null } as unknown as IndexedDocument['payload'],
    vectors: { dense: [0, 1], sparse: null },
  });
  expect(lines.map(line => line.split(/\s{2,}/))).toEqual([
    ['point id', '5fd78b1e-0573-3677-91d0-56197cc6f1f7'],
    ['title', 'So What'],
    ['lyrics', 'null'],
    ['interpretation_embedding', '2 numbers'],
    ['text_sparse', 'none'],
  ]);
});
