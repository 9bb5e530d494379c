import type { LogEventEntry } from './entry.ts';

/** Of the way of a row through the relay. */
export const sendingEvents = {
  ingestion_scheduled: {
    levels: ['info'],
    by: ['relay'],
    when: 'Inngest accepted the event of a recording.',
    action: 'Nothing.',
  },
  ingestion_error: {
    levels: ['error'],
    by: ['relay'],
    when:
      'Inngest refused the event of one row, for the `reason` given. The message says whether the row is dead or is ' +
      'tried again.',
    action:
      'Read the reason. When the row is dead and the cause is mended, request the recording again: ' +
      '[dead letters](outbox-in-sql.md#acting).',
  },
  album_ingestion_batch: {
    levels: ['info'],
    by: ['relay', 'api'],
    when:
      'The last row of an album is settled, and no track of it is owed by TIDAL any more. Carries `total_tracks`, ' +
      '`scheduled_count` and `skipped_count`. api: the last tracks that were owed turned out not to exist.',
    action: 'Nothing.',
  },
  lease_lost: {
    levels: ['warn'],
    by: ['relay'],
    when:
      'This relay was away past its lease, and another one has taken `slots` of its slots over. It changed nothing of ' +
      'their requests.',
    action:
      'Once: nothing. Again and again: the process is starved of CPU or paused, or the database answers slowly. Raise ' +
      '`RELAY_LEASE_MS`.',
  },
  relay_stalled: {
    levels: ['error'],
    by: ['relay'],
    when: 'Batches are in flight and none has ended for 20 s. The relay no longer renews its slots; other relays take them.',
    action: 'Restart this relay. It is a bug: report it with the lines before.',
  },
  settlement_blocked: {
    levels: ['error'],
    by: ['relay'],
    when:
      'What became of a recording cannot be written down, since a session holds a lock on one of its rows, or a trigger ' +
      'of yours forbids it. The relay tries on, every 30 s in the end. Other recordings go on.',
    action:
      'Find the session in `pg_stat_activity` whose `state` is `idle in transaction`, and commit or end it (`SELECT ' +
      'pg_terminate_backend(pid)`). Where `error` names a trigger or a constraint of yours, let it allow what the relay writes.',
  },
} as const satisfies Record<string, LogEventEntry>;
