import { describe, expect, test } from 'vitest';
import { eventId, eventProblem, ingestionRequested } from './event.ts';

const valid = {
  isrc: 'USRC17607839',
  title: 'So What',
  artist: 'Miles Davis',
  album: 'Kind of Blue',
  artworkUrl: 'https://resources.tidal.com/images/1.jpg',
  priority: 0,
  force: false,
};

test('the names that the worker knows', () => {
  expect(ingestionRequested).toBe('track/ingestion.requested');
  expect(eventId('USRC17607839', 3)).toBe('track-ingestion:USRC17607839:3');
});

describe('valid data has no problem', () => {
  const { artworkUrl: _, ...withoutArtwork } = valid;
  test.each([
    ['whole', valid],
    ['without artwork', withoutArtwork],
    ['of a track without an album', { ...valid, album: '' }],
    ['of the first priority', { ...valid, priority: 600 }],
    ['of the last priority', { ...valid, priority: -600 }],
    ['of a title in any script', { ...valid, title: '序曲 🎻', artist: 'Сергей' }],
  ])('%s', (_, data) => {
    expect(eventProblem(data)).toBeNull();
  });
});

test.each([
  [{ isrc: 'usrc17607839' }, 'isrc: must be 12 characters of A-Z and 0-9'],
  [{ title: '' }, 'title: must not be empty'],
  [{ title: ' \u00a0\n' }, 'title: must not be empty'],
  [{ priority: 601 }, /^priority: .*600/],
  [{ priority: 0.5 }, /^priority: /],
  [{ force: 'yes' }, /^force: /],
  [{ album: null }, /^album: /],
  [{ title: '', priority: 601 }, 'title: must not be empty; priority: Too big: expected number to be <=600'],
])('%j is told in one line that names the field', (change, problem) => {
  const told = eventProblem({ ...valid, ...change });
  expect(told).toEqual(typeof problem === 'string' ? problem : expect.stringMatching(problem));
  expect(told).not.toContain('\n');
});
