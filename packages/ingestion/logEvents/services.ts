import type { LogEventEntry } from './entry.ts';

/** Of services that a process depends on, and how it reaches them. */
export const serviceEvents = {
  inngest_error: {
    levels: ['error'],
    by: ['relay', 'worker'],
    when: 'A call to Inngest failed. One line per call, whatever the number of rows in it.',
    action:
      'For minutes without `ingestion_scheduled` between: see whether Inngest is reachable and the event key is valid. ' +
      'Rows wait and count no attempt.',
  },
  qdrant_error: {
    levels: ['error'],
    by: ['relay', 'worker'],
    when: 'The index could not be asked. relay: one line per batch. worker: said once, while the collection could not be looked at.',
    action:
      'See whether Qdrant is reachable and the collection exists. Until then everything is sent, including recordings ' +
      'that are indexed already.',
  },
  collection_missing: {
    levels: ['warn'],
    by: ['relay'],
    when: 'The Qdrant collection does not exist, so everything counts as not indexed.',
    action: 'Start the worker, which makes it, or correct `QDRANT_COLLECTION`.',
  },
  tidal_error: {
    levels: ['warn'],
    by: ['api'],
    when:
      'TIDAL could not answer, or not be asked in time; the user got `TidalApiUnavailableError`. Carries `status` and ' +
      '`retryable`.',
    action:
      'Many with status 401: check `TIDAL_CLIENT_ID` and `TIDAL_CLIENT_SECRET`. With 429: others use the same credentials. ' +
      'Many of a queue that was too long: more is added than TIDAL gives in the time.',
  },
  database_error: {
    levels: ['warn', 'error'],
    by: ['relay'],
    when:
      'A statement failed; the relay tries again. error: rows could not be read or settled, said once until a read succeeds. ' +
      'warn: a batch in hand waits for the database, or the slots could not be renewed; each said once.',
    action:
      'Without `database_restored` after it: see whether PostgreSQL is reachable, writable, and has connections left.',
  },
  database_restored: {
    levels: ['info'],
    by: ['relay'],
    when: 'Rows can be read again after `database_error`.',
    action: 'Nothing.',
  },
  database_unavailable: {
    levels: ['error'],
    by: ['api'],
    when: 'A request failed because the database is away; the user got `DATABASE_UNAVAILABLE`. Carries `requestId`.',
    action: 'When it goes on: see whether PostgreSQL is reachable, writable, and has connections left.',
  },
  database_connection_lost: {
    levels: ['warn'],
    by: ['api', 'relay'],
    when:
      'A connection to PostgreSQL gave no answer in time, or led to a server that is read-only. It was closed, and so ' +
      'were those that idled; new ones are opened.',
    action:
      'Once, at a switchover: nothing. Again and again: something between the process and PostgreSQL drops open ' +
      'connections (a firewall, a NAT gateway), or PostgreSQL is too busy to answer.',
  },
  hints_lost: {
    levels: ['warn'],
    by: ['relay'],
    when: 'LISTEN is lost, or never works, as behind a pooler in transaction mode. The relay polls.',
    action: 'For a second less of delay give the relay a direct connection to PostgreSQL.',
  },
  hints_restored: {
    levels: ['info'],
    by: ['relay'],
    when: 'LISTEN works again after `hints_lost`.',
    action: 'Nothing.',
  },
  ingestion_status_unknown: {
    levels: ['error'],
    by: ['api'],
    when: 'What became of recordings cannot be read, so `isIndexed` is false where it was asked for. Carries `requestId`.',
    action: 'As with `database_unavailable`, or `request_failed` where `error` is none of the database.',
  },
  not_ready: {
    levels: ['warn'],
    by: ['api'],
    when: '`/readyz` answered 503, because the database does not answer.',
    action: 'As with `database_unavailable`.',
  },
  authentication_unavailable: {
    levels: ['error'],
    by: ['api'],
    when: 'The keys of the identity provider cannot be had, so nobody can be identified; the user got 503.',
    action: 'See whether `AUTH_JWKS_URL` is reachable from here.',
  },
  signing_keys_stale: {
    levels: ['warn'],
    by: ['api'],
    when: 'The identity provider does not give its keys. The keys that are known serve on, for 24 hours at most; `/readyz` says `degraded`.',
    action: 'See whether `AUTH_JWKS_URL` is reachable from here. A restart would forget the keys.',
  },
  unencrypted_key: {
    levels: ['warn'],
    by: ['relay', 'worker'],
    when: 'A key is sent over http://, where others on the way can read it.',
    action: 'Use https://, unless both are in one private network.',
  },
  console_sign_in_refused: {
    levels: ['warn'],
    by: ['relay'],
    when:
      'Tokens that the console does not know were refused, at the login or as a bearer; `refused` says how many since the ' +
      'last line. One line a minute at the most.',
    action:
      'A few: somebody has mistyped it, or has one from before it was changed. Many, minute after minute: somebody is ' +
      'guessing; close the port to where they come from, and use a token of `openssl rand -base64 24`.',
  },
  unsigned_requests: {
    levels: ['warn'],
    by: ['worker'],
    when: 'A worker of a Dev Server listens on more than loopback, and a Dev Server signs no request.',
    action: 'Let nobody but the Dev Server reach the port, or use a server with a signing key.',
  },
} as const satisfies Record<string, LogEventEntry>;
