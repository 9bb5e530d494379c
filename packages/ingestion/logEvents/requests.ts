import type { LogEventEntry } from './entry.ts';

/** Of additions to the library, up to the committed outbox rows. */
export const requestEvents = {
  ingestion_requested: {
    levels: ['info'],
    by: ['api'],
    when: 'The outbox row of a recording is committed, together with the library item.',
    action: 'Nothing.',
  },
  ingestion_skipped: {
    levels: ['warn', 'info'],
    by: ['api', 'relay', 'worker'],
    when:
      'Nothing is sent, for the `reason` given. api, warn: `missing_isrc` or `invalid_isrc`; the item is stored, and ' +
      'nothing is requested. relay, warn: `already_indexed`. relay, info: `duplicate`. worker, info: ' +
      '`already_indexed`, when the recording was indexed after its event was sent.',
    action:
      'Nothing. Many of `missing_isrc` at once: TIDAL may have changed its answers. Many of `already_indexed`: ' +
      'somebody requests what is in the index, a backfill for example.',
  },
  validation_error: {
    levels: ['warn'],
    by: ['api'],
    when: 'A track that is stored makes no valid event, because its title is empty for example. `error` says why.',
    action: 'Correct the metadata at TIDAL, remove the item and add it again.',
  },
  album_track_listing_error: {
    levels: ['error'],
    by: ['api'],
    when:
      'The listing of an album, or a part of it, was missing when the album was added; or, with `tidalId`, a part turned ' +
      'out to be missing for good when the album was completed. `error` says why.',
    action:
      'Nothing, unless it goes on: the album is stored with the tracks that there were, and what TIDAL could not be asked ' +
      'for is completed later. See the view `ingestion_catalog_pending`. With `tidalId`: remove the album and add it again ' +
      'once TIDAL lists it whole.',
  },
  catalog_completed: {
    levels: ['info'],
    by: ['api'],
    when:
      'TIDAL has answered for all that was owed of an album or a track. Carries `tidalId`, and for an album ' +
      '`total_tracks`, the length of its listing.',
    action: 'Nothing.',
  },
  catalog_completion_failed: {
    levels: ['warn'],
    by: ['api'],
    when:
      'TIDAL could not be asked for what is owed of an album or a track, or the database is away (said once). `error` says why. ' +
      'It is tried again.',
    action:
      'When it goes on for long: see `last_error` in the view `ingestion_catalog_pending`, and what `tidal_error` asks for. Where ' +
      '`error` is of the database: as for `database_error`.',
  },
  catalog_holes_found: {
    levels: ['info'],
    by: ['api'],
    when: 'Albums or tracks that an older version stored without all that TIDAL has are completed from now on.',
    action: 'Nothing.',
  },
  announcement_failed: {
    levels: ['debug'],
    by: ['api'],
    when: 'What follows a commit (log lines, the hint) failed. The rows are committed.',
    action: 'Nothing: relays find the rows at their next poll.',
  },
  hint_failed: {
    levels: ['debug'],
    by: ['api'],
    when: 'The NOTIFY that wakes the relays failed.',
    action: 'Nothing: relays find the rows at their next poll.',
  },
} as const satisfies Record<string, LogEventEntry>;
