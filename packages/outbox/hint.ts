import type { Sql } from '@segue/database/connection.ts';

/** The channel on which an API says that it has committed rows. A hint, never the truth: relays poll as well. */
export const hintChannel = 'ingestion_outbox';

/** What a relay says to the others when slots have changed hands. */
const slotsPayload = 'slots ';

/**
 * Sends the hint. NOTIFY takes a lock on the whole database at commit, so it is never part of a library
 * transaction (recall.ai had three outages that way).
 */
export async function hint(sql: Sql): Promise<void> {
  await sql.notify(hintChannel, '');
}

/** Tells the other relays that slots are free, or that a relay came that has too few. A hint, too. */
export async function notifySlots(sql: Sql, relay: string): Promise<void> {
  await sql.notify(hintChannel, slotsPayload + relay);
}

/** What a notification says: that there are rows, that slots changed hands (and who says so), or something else. */
export function readHint(payload: string): { kind: 'rows' } | { kind: 'slots'; relay: string } | null {
  if (payload === '') return { kind: 'rows' };
  return payload.startsWith(slotsPayload)
    ? { kind: 'slots', relay: payload.slice(slotsPayload.length) }
    : null;
}
