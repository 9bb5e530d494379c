import type { Queryable } from '@segue/database/connection.ts';

/** A relay as the database knows it. */
export type KnownRelay = {
  id: string;
  host: string;
  version: string;
  state: 'running' | 'held_back' | 'stopped';
  since: Date;
  /** Since its last heartbeat, by the database's clock. */
  silentSeconds: number;
  /** Slots that it owns. */
  slots: number;
};

/** A relay that says nothing for so long is taken to be gone. A heartbeat comes each second or two. */
export const silentSeconds = 30;

/** Whether a relay has neither stopped nor fallen silent. */
export function isAlive(relay: Pick<KnownRelay, 'state' | 'silentSeconds'>): boolean {
  return relay.state !== 'stopped' && relay.silentSeconds < silentSeconds;
}

/** Relays that gave a sign of life within the last hour, the longest running first. */
export function readRelays(db: Queryable): Promise<KnownRelay[]> {
  return db<KnownRelay[]>`
    SELECT relay.id, relay.host, relay.version, relay.state, relay.since,
      extract(epoch FROM now() - relay.last_heartbeat)::float8 AS "silentSeconds",
      (SELECT count(*)::int FROM relay_slots AS slot WHERE slot.owner = relay.id) AS slots
    FROM relays AS relay WHERE relay.last_heartbeat > now() - interval '1 hour'
    ORDER BY relay.since, relay.id`;
}

/** Slots of which no living relay takes care. */
export type OrphanedSlots = {
  /** Nobody owns them, or their lease has ended a while ago. */
  unowned: number;
  /** Their lease lies further ahead than any lease lasts: written by hand, or by a clock that was wrong. */
  stuck: number;
};

export async function readOrphanedSlots(db: Queryable): Promise<OrphanedSlots> {
  const [answer] = await db<[OrphanedSlots]>`
    SELECT count(*) FILTER (WHERE owner IS NULL OR lease_end < now() - interval '10 seconds')::int AS unowned,
      count(*) FILTER (WHERE owner IS NOT NULL AND (lease_end > now() + interval '1 hour'
        OR lease_end > now() AND NOT EXISTS (
          SELECT FROM relays WHERE relays.id = owner AND state <> 'stopped'
            AND last_heartbeat > now() - interval '1 minute')))::int AS stuck
    FROM relay_slots`;
  return answer;
}
