import type { LogEventEntry } from './entry.ts';

/** Of what relays do besides: removing old rows, and comparing what was sent with the index. */
export const upkeepEvents = {
  rows_removed: {
    levels: ['info'],
    by: ['relay'],
    when: 'Settled rows older than `RELAY_RETENTION_DAYS` were removed; `removed` says how many.',
    action: 'Nothing.',
  },
  retention_failed: {
    levels: ['warn'],
    by: ['relay'],
    when: 'Old rows could not be removed. The next round tries again.',
    action: 'When it goes on: look at `error`; the outbox grows meanwhile.',
  },
  ingestion_reconciled: {
    levels: ['warn'],
    by: ['relay'],
    when:
      'A recording was sent more than `RELAY_RECONCILE_AFTER_HOURS` ago and is not in the index. It is requested anew, with ' +
      'the next event id.',
    action:
      'A few: nothing. Many: look for `ingestion_failed` in the log of the worker, and at failed or cancelled runs at Inngest.',
  },
  ingestion_never_indexed: {
    levels: ['error'],
    by: ['relay'],
    when: 'A recording was sent anew `RELAY_RECONCILE_LIMIT` times and has not reached the index. It is dead; `reason` says so.',
    action:
      'Look for its ISRC in the log of the worker and at Inngest, mend what stops it, and requeue it: `npm run outbox -- requeue`.',
  },
  reconciliation_paused: {
    levels: ['warn'],
    by: ['relay'],
    when:
      'Recordings are missing in the index and are not sent anew, since it is no loss of single ones. `reason`: ' +
      '`index_unavailable`, `index_wiped` (most of what was there is gone) or `worker_behind` (nothing that was sent over 20 ' +
      'minutes later is there). Said once.',
    action:
      '`index_unavailable`: see Qdrant. `index_wiped`: `npm run outbox -- reindex`. `worker_behind`: see whether the worker ' +
      'runs, and how much waits at Inngest; where both are well and nothing was added since, the next addition ends it.',
  },
  reconciliation_resumed: {
    levels: ['info'],
    by: ['relay'],
    when: 'The cause of `reconciliation_paused` is gone, or nothing is missing any more.',
    action: 'Nothing.',
  },
  reconciliation_failed: {
    levels: ['warn'],
    by: ['relay'],
    when: 'What was sent could not be compared with the index, because the database failed. The next round tries again.',
    action: 'When it goes on: look at `error`.',
  },
} as const satisfies Record<string, LogEventEntry>;
