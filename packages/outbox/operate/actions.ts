import type { Queryable } from '@segue/database/connection.ts';

/** What a person did to the outbox. */
export type RecordedAction = {
  id: number;
  at: Date;
  actor: string;
  action: string;
  reason: string;
  /** How many rows it changed. */
  rows: number;
  selection: Record<string, unknown>;
  /** `psql`, `segue-outbox` (the command line), `segue-relay` (the console). */
  source: string;
};

/**
 * The newest actions first, a page at a time.
 *
 * @param before only actions with a lower id
 */
export function readActions(
  db: Queryable,
  { limit = 50, before }: { limit?: number; before?: number | undefined } = {},
): Promise<RecordedAction[]> {
  return db<RecordedAction[]>`
    SELECT id, at, actor, action, reason, rows, selection, source FROM ingestion_actions
    WHERE id < ${before ?? Number.MAX_SAFE_INTEGER} ORDER BY id DESC LIMIT ${Math.min(Math.max(1, limit), 1_000)}`;
}

/** One action, with the requests that it changed, the first 20 of them. */
export async function readAction(
  db: Queryable,
  id: number,
): Promise<(RecordedAction & { requests: { id: number; isrc: string | null }[] }) | null> {
  const [action] = await db<(RecordedAction & { requests: { id: number; isrc: string | null }[] })[]>`
    SELECT id, at, actor, action, reason, rows, selection, source,
      (SELECT coalesce(jsonb_agg(jsonb_build_object('id', changed.id, 'isrc', request.isrc) ORDER BY changed.id), '[]')
        FROM unnest(outbox_ids[1:20]) AS changed (id) LEFT JOIN ingestion_outbox AS request ON request.id = changed.id) AS requests
    FROM ingestion_actions WHERE id = ${id}`;
  return action ?? null;
}

/** Records an action that is not a function of the database, such as pruning. */
export async function recordAction(
  db: Queryable,
  {
    actor,
    action,
    reason,
    rows,
    selection,
  }: Pick<RecordedAction, 'action' | 'reason' | 'rows' | 'selection'> & {
    actor?: string | undefined;
  },
): Promise<void> {
  await db`
    INSERT INTO ingestion_actions (actor, action, reason, selection, rows, outbox_ids, source)
    VALUES (coalesce(${actor ?? null}, session_user), ${action}, ${reason}, ${JSON.stringify(selection)}::text::jsonb,
      ${rows}, '{}', current_setting('application_name'))`;
}
