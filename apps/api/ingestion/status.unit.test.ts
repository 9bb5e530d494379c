import { expect, test } from 'vitest';
import { type LedgerEntry, statusOf } from './status.ts';

const at = (minute: number) => new Date(Date.UTC(2025, 10, 23, 12, minute));
const requestedAt = at(10);

const entry = (given: Partial<LedgerEntry>): LedgerEntry => ({
  sentAt: null,
  indexedAt: null,
  deadReason: null,
  requestStatus: 'scheduled',
  settledAt: null,
  ...given,
});

test.each<[string, LedgerEntry | undefined, object]>([
  ['nobody took the recording yet', undefined, { status: 'PENDING' }],
  [
    'its request waits for its next attempt',
    entry({ requestStatus: 'pending', sentAt: at(11) }),
    { status: 'PENDING' },
  ],
  ['a relay is at it', entry({ requestStatus: 'in_flight', sentAt: at(11) }), { status: 'PENDING' }],
  ['it was sent', entry({ sentAt: at(11) }), { status: 'SCHEDULED', scheduledAt: at(11) }],
  [
    'it was sent before this item was added',
    entry({ sentAt: at(5) }),
    { status: 'SCHEDULED', scheduledAt: at(5) },
  ],
  [
    'it was sent so long ago that the request is forgotten',
    entry({ requestStatus: null, sentAt: at(5) }),
    { status: 'SCHEDULED', scheduledAt: at(5) },
  ],
  [
    'it was found in the index, and never sent',
    entry({ requestStatus: 'skipped', indexedAt: at(11) }),
    { status: 'INDEXED', reason: 'already_indexed' },
  ],
  [
    'it was found in the index after it was sent',
    entry({ requestStatus: 'skipped', sentAt: at(5), indexedAt: at(11) }),
    { status: 'INDEXED', reason: 'already_indexed' },
  ],
  [
    'it was sent again after it was found in the index',
    entry({ sentAt: at(12), indexedAt: at(11) }),
    { status: 'SCHEDULED', scheduledAt: at(12) },
  ],
  [
    'its request died',
    entry({ requestStatus: 'dead', deadReason: 'event too large', settledAt: at(11) }),
    { status: 'FAILED', reason: 'event too large' },
  ],
  [
    'it was requested after another request had died',
    entry({ requestStatus: 'dead', deadReason: 'event too large', settledAt: at(9) }),
    { status: 'PENDING' },
  ],
  [
    'a request died so long ago that it is forgotten',
    entry({ requestStatus: null, deadReason: 'event too large' }),
    { status: 'FAILED', reason: 'event too large' },
  ],
  [
    'it was sent, and a forced request for it died within the dedupe window',
    entry({ requestStatus: 'dead', sentAt: at(5), settledAt: at(9) }),
    { status: 'SCHEDULED', scheduledAt: at(5) },
  ],
  ['it was taken, and nothing came of it', entry({}), { status: 'PENDING' }],
])('%s', (_, known, expected) => {
  expect(statusOf(requestedAt, known)).toEqual({
    requestedAt,
    scheduledAt: null,
    reason: null,
    ...expected,
  });
});
