import type { Peer } from '../peer.ts';

/** Requests that are under way at a time. */
export const connections = 50;

/**
 * The design that the outbox replaces: a request stores the track, asks the index and sends the event before it answers.
 * Nothing drops duplicates, and what a failed call should have sent is lost. There is no queue, so nothing is loaded.
 */
export const inRequest: Peer = {
  name: 'check and send in the request',
  settings: JSON.stringify({ connections }),
  process: new URL('inRequestProcess.ts', import.meta.url),
  migrated: true,
  events: 'with repeats',
  load: async (_sql, _url, requested) => requested.length,
  isDrained: async () => true,
};
