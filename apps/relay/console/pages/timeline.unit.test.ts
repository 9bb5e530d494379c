import type { RecordingRequest, RecordingStory } from '@segue/outbox/operate/recording.ts';
import { expect, test } from 'vitest';
import { timelineOf } from './timeline.ts';

const request: RecordingRequest = {
  id: 7,
  requested_at: '2026-11-28T10:00:00.000001+00:00',
  status: 'pending',
  reason: null,
  decided_at: null,
  attempts: 0,
  last_error: null,
  next_attempt_at: '2026-11-28T10:00:00.000001+00:00',
  force: false,
  priority: 0,
  album_batch_id: null,
  event_id: null,
  request_id: null,
};

const scheduled: Partial<RecordingRequest> = {
  status: 'scheduled',
  decided_at: '2026-11-28T10:00:01+00:00',
  event_id: 'track-ingestion:USRC17607839:1',
};

function story(requests: Partial<RecordingRequest>[], given: Partial<RecordingStory> = {}): RecordingStory {
  return {
    isrc: 'USRC17607839',
    title: 'So What',
    artist: 'Miles Davis',
    album: 'Kind of Blue',
    state: 'pending',
    generation: null,
    sentAt: null,
    indexedAt: null,
    deadReason: null,
    lastEventId: null,
    slot: 5,
    heldByHost: null,
    holder: null,
    lost: null,
    actions: [],
    ...given,
    requests: requests.map(each => ({ ...request, ...each })),
  };
}

/** Each line with its moment, as a person reads it. */
function linesOf(given: RecordingStory): string[] {
  return timelineOf(given).map(({ at, what }) =>
    `${at?.slice(11, 19) ?? 'now'} ${String(what).replace(/<[^>]+>/g, '')}`.replaceAll('&#39;', "'"),
  );
}

const holder = { host: 'relay-1', takenAt: new Date('2026-11-28T09:00:00Z'), leaseEnded: false };

test('a request that waits is with the relay that has its slot, since then', () => {
  expect(linesOf(story([{ request_id: 'b0e1', album_batch_id: 3 }], { holder }))).toEqual([
    "10:00:00 Request 7 was made for the album “Kind of Blue”, album request 3, by the API's answer b0e1.",
    'now Request 7 waits, with the relay on relay-1, which has its slot since 2026-11-28 09:00:00.',
  ]);
  expect(linesOf(story([{}]))[1]).toBe('now Request 7 waits, and no relay has its slot.');
  expect(linesOf(story([{}], { holder: { ...holder, leaseEnded: true } }))[1]).toMatch(
    /and the relay on relay-1, which had its slot since .*, has let the lease end\.$/,
  );
});

test('refusals are told with the next attempt, and stay with the event that was accepted in the end', () => {
  const refused = { attempts: 3, last_error: '422: title too long' };
  const next = '2099-01-01T00:00:00+00:00';
  expect(linesOf(story([{ ...refused, next_attempt_at: next }])).slice(1)).toEqual([
    'now Request 7 has had 3 refusals, the last “422: title too long”.',
    'now Request 7 waits for its next attempt at 2099-01-01 00:00:00, and no relay has its slot.',
  ]);
  expect(linesOf(story([{ ...refused, ...scheduled }]))[1]).toBe(
    '10:00:01 Inngest accepted the event for request 7, track-ingestion:USRC17607839:1, after 3 refusals, the last “422: title too long”. The index did not have it, or could not be asked.',
  );
  const dead = { status: 'dead', decided_at: scheduled.decided_at as string, reason: '422: title too long' };
  expect(linesOf(story([{ ...refused, ...dead }]))[1]).toBe(
    '10:00:01 Request 7 was set aside as dead, after 3 refusals: 422: title too long.',
  );
});

test('a forced request says that the index was not asked', () => {
  expect(linesOf(story([{ ...scheduled, force: true }]))).toEqual([
    '10:00:00 Request 7 was made for a single track, “So What”, forced.',
    expect.stringMatching(/It was forced, so the index was not asked\.$/),
  ]);
});

test.each([
  ['already_indexed', 'the index had the recording already.'],
  ['duplicate', 'an event for the recording had been sent within the dedupe window.'],
  ['discarded', 'somebody had discarded it.'],
])('a request that was skipped as %s says why', (reason, why) => {
  const skipped = { status: 'skipped', reason, decided_at: scheduled.decided_at as string };
  expect(linesOf(story([skipped]))[1]).toBe(`10:00:01 Request 7 was skipped: ${why}`);
});

test('a recording is seen in the index, or not since it was sent', () => {
  const sentAt = new Date('2026-11-28T10:00:01Z');
  const seen = (indexedAt: Date | null) => linesOf(story([scheduled], { sentAt, indexedAt })).slice(2);
  expect(seen(new Date('2026-11-28T10:00:30Z'))).toEqual([
    '10:00:30 A relay saw the recording in the index.',
  ]);
  expect(seen(null)).toEqual(['now No relay has seen it in the index since it was sent.']);
});

test('the request that a relay made for a lost recording is told apart from others', () => {
  const anew = { id: 9, requested_at: '2026-11-29T12:00:00.5+00:00', priority: -600 };
  const lost = { times: 1, lastAt: anew.requested_at };
  const lines = linesOf(story([scheduled, anew], { lost }));
  expect(lines[2]).toBe(
    '12:00:00 Request 9 was made anew by a relay, since the recording had not reached the index, priority -600.',
  );
  expect(lines.at(-1)).toBe('now It was sent and did not reach the index, and was requested anew 1 time.');
  // The database keeps no more of it once the recording is in the index.
  expect(linesOf(story([scheduled, anew]))[2]).toMatch(
    /as a relay does for a recording that had not reached the index/,
  );
});

test('a backfill is named as what requested a recording, and an action as what people did', () => {
  const at = '2026-11-28T10:00:00.2+00:00';
  const backfill = { id: 4, at, actor: 'ada', action: 'backfill', reason: 'the library is old', rows: 10 };
  expect(linesOf(story([{ priority: -600 }], { actions: [backfill] })).slice(0, 2)).toEqual([
    '10:00:00 Request 7 was made by the backfill of ada, priority -600.',
    '10:00:00 ada: backfill, “the library is old”',
  ]);
});

test('a sending whose request is no longer kept is told by the ledger', () => {
  const sentAt = new Date('2026-11-01T10:00:00Z');
  expect(linesOf(story([], { sentAt }))[0]).toBe(
    '10:00:00 Inngest accepted an event. The request for it is no longer kept.',
  );
});
