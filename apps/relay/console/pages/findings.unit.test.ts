import type { Glance } from '@segue/outbox/operate/glance.ts';
import { expect, test } from 'vitest';
import type { Snapshot } from '../live/watch.ts';
import { consoleFindings } from './findings.ts';

const at = new Date('2026-11-28T12:00:00Z');
const before = (minutes: number) => new Date(at.getTime() - minutes * 60_000);

const relay = {
  id: '1',
  host: 'relay-a',
  version: '0.1.0',
  state: 'running' as const,
  since: before(600),
  silentSeconds: 1,
  slots: 16,
};
const held = { ...relay, state: 'held_back' as const };

const nothingOpen = {
  count: 0,
  isEstimate: false,
  oldestSeconds: null,
  later: 0,
  refused: 0,
  oldestDueSeconds: null,
};
const manyOpen = {
  ...nothingOpen,
  count: 100_000,
  isEstimate: true,
  oldestSeconds: 840,
  oldestDueSeconds: 840,
};

function snapshot(given: Partial<Glance>, others: Partial<Snapshot> = {}): Snapshot {
  const glance: Glance = {
    at,
    open: nothingOpen,
    dead: { count: 0, more: false, lastHour: 0, reasons: [], newest: [] },
    owed: { count: 0, more: false, tracks: 0, failing: 0, failingSince: null, items: [] },
    sending: { paused: null },
    relays: [relay],
    slots: { unowned: 0, stuck: 0 },
    ...given,
  };
  return {
    readAt: at.getTime(),
    glance,
    rates: null,
    reconciliation: null,
    failure: null,
    dependencies: [],
    workers: null,
    ...others,
  };
}

/** The findings as they are read: without what isolates texts from outside. */
function found(given: Snapshot) {
  const read = (text: unknown) => String(text).replace(/[\u2068\u2069]|<\/?bdi>/g, '');
  return consoleFindings(given).map(finding => ({
    ...finding,
    summary: read(finding.summary),
    advice: read(finding.advice),
  }));
}

const away = {
  name: 'Inngest',
  state: 'unavailable' as const,
  summary: 'takes no events',
  since: before(14),
};

test('an Inngest that is away is told with the relays that wait for it, and what waits follows from it', () => {
  const relays = [held, { ...held, id: '2', host: 'relay-b' }, { ...relay, id: '3', host: 'relay-c' }];
  const [inngest, waiting, ...others] = found(snapshot({ relays, open: manyOpen }, { dependencies: [away] }));
  expect(inngest).toMatchObject({
    severity: 'failure',
    summary: 'Inngest has taken no events for 14 min',
    link: { to: '#services' },
  });
  expect(String(inngest?.advice)).toMatch(
    /^2 of 3 relays wait for it: relay-a, relay-b\. No request is lost/,
  );
  expect(waiting).toMatchObject({
    summary: 'About 100,000 requests wait to be sent, the oldest for 14 min',
    advice: 'They wait for Inngest, and are sent once it takes events again.',
  });
  expect(others).toEqual([]);
});

test('of twenty relays the number is told, and not their hosts', () => {
  const relays = Array.from({ length: 20 }, (_, at) => ({ ...held, id: String(at) }));
  const [inngest] = found(snapshot({ relays }, { dependencies: [away] }));
  expect(String(inngest?.advice)).toMatch(/^20 of 20 relays wait for it\./);
});

test('relays that all wait for Inngest are told by one that knows of it by the database alone', () => {
  const [inngest] = found(snapshot({ relays: [held] }));
  expect(inngest).toMatchObject({ summary: 'Inngest has taken no events' });
  expect(String(inngest?.advice)).toMatch(/^1 of 1 relay waits for it: relay-a\./);
});

test('requests that wait while Inngest takes events are told with who finds the cause', () => {
  const [waiting] = found(
    snapshot(
      { open: { ...manyOpen, count: 1, isEstimate: false } },
      { dependencies: [{ ...away, name: 'Qdrant', state: 'degraded' }] },
    ),
  );
  expect(waiting?.summary).toBe('1 request waits to be sent, the oldest for 14 min');
  expect(String(waiting?.advice)).toContain('outbox -- doctor');
});

const reasons = [{ reason: '400: no URL', count: 1, lastAt: before(49) }];

test('one dead request is told by its recording, with the way there', () => {
  const newest = [{ isrc: 'QMSEG0000666', title: 'Untitled' }];
  const [dead] = found(snapshot({ dead: { count: 1, more: false, lastHour: 1, reasons, newest } }));
  expect(dead).toEqual({
    severity: 'warning',
    summary: '1 dead request: “Untitled”, QMSEG0000666',
    advice:
      'Refused 49 min ago with “400: no URL”. Nothing sends it by itself any more: requeue it once the cause is gone, or discard it.',
    link: { to: '/console/recordings/QMSEG0000666', label: 'See it' },
  });
});

test('a title that mirrors what comes after it does not mirror the ISRC', () => {
  const newest = [{ isrc: 'QMSEG0000666', title: 'Song \u2069\u202edaed' }];
  const [dead] = consoleFindings(snapshot({ dead: { count: 1, more: false, lastHour: 1, reasons, newest } }));
  expect(dead?.summary).toBe('1 dead request: “\u2068Song \u202edaed\u2069”, QMSEG0000666');
});

test('a few dead requests are told by their recordings, and many by the most frequent refusal', () => {
  const newest = [
    { isrc: 'QMSEG0000666', title: '<b>' },
    { isrc: 'QMSEG0000667', title: 'Second' },
  ];
  const counts = { more: false, lastHour: 0, newest };
  const [few] = found(snapshot({ dead: { ...counts, count: 2, reasons } }));
  expect(few?.summary).toBe('2 dead requests');
  expect(String(few?.advice)).toMatch(
    /^<a href="\/console\/recordings\/QMSEG0000666">“&lt;b&gt;”<\/a>, QMSEG0000666, <a/,
  );
  const [many] = found(snapshot({ dead: { ...counts, count: 900, lastHour: 3, reasons } }));
  expect(many?.summary).toBe('900 dead requests, 3 in the last hour');
  expect(String(many?.advice)).toMatch(/^1 with “400: no URL”\. /);
});

const album = {
  kind: 'album' as const,
  title: 'Hejira',
  artist: 'Joni Mitchell',
  tracksOwed: 4,
  owedSince: before(180),
  attempts: 17,
  failingSince: before(120),
  lastError: '503 Service Unavailable',
  nextAttemptAt: null,
  albumBatchId: 7,
};

test('what TIDAL owes is told with for how long it is owed, and for how long TIDAL has failed', () => {
  const owed = { count: 1, more: false, tracks: 4, failing: 1, failingSince: before(120), items: [album] };
  const [one] = found(snapshot({ owed }));
  expect(one).toEqual({
    severity: 'warning',
    summary: '1 album waits for TIDAL, 4 tracks in all',
    advice:
      '“Hejira” by Joni Mitchell, owed for 3 h. TIDAL has failed for 2 h (17 attempts): 503 Service Unavailable. The API asks again.',
    link: { to: '/console/albums/7', label: 'See it' },
  });
  const [two] = found(snapshot({ owed: { ...owed, count: 2, tracks: 5, failingSince: null } }));
  expect(two?.advice).toBe('The oldest is “Hejira” by Joni Mitchell, owed for 3 h. The API asks again.');
});
