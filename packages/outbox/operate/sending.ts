import type { Queryable } from '@segue/database/connection.ts';
import { translated } from './act.ts';

/** Whether the relays send. */
export type Sending = { paused: null } | { paused: { at: Date; by: string | null; reason: string | null } };

export async function readSending(db: Queryable): Promise<Sending> {
  const [control] = await db<{ at: Date | null; by: string | null; reason: string | null }[]>`
    SELECT paused_at AS at, paused_by AS by, paused_reason AS reason FROM relay_control`;
  if (!control || control.at === null) return { paused: null };
  return { paused: { at: control.at, by: control.by, reason: control.reason } };
}

type Why = { reason: string; actor?: string | undefined };

/**
 * Stops all relays from sending; additions go on.
 *
 * @throws ActionRefused when it is paused already; ActionInvalid without a reason
 */
export async function pauseSending(db: Queryable, { reason, actor }: Why): Promise<void> {
  try {
    await db`SELECT ingestion_outbox_pause(${reason}, ${actor ?? null})`;
  } catch (error) {
    throw translated(error);
  }
}

/**
 * Lets the relays send again.
 *
 * @returns for how many seconds they were paused
 * @throws ActionRefused when it is not paused; ActionInvalid without a reason
 */
export async function resumeSending(db: Queryable, { reason, actor }: Why): Promise<number> {
  try {
    const [answer] = await db<[{ seconds: number }]>`
      SELECT extract(epoch FROM ingestion_outbox_resume(${reason}, ${actor ?? null}))::float8 AS seconds`;
    return answer.seconds;
  } catch (error) {
    throw translated(error);
  }
}
