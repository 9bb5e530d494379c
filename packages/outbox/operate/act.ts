import type { Queryable } from '@segue/database/connection.ts';
import { filterForDatabase, type OutboxFilter } from './filter.ts';

/** What a person can do to requests. */
export type Action =
  /** Sends dead requests again; with `force` past the dedupe window and the index. */
  | { kind: 'requeue'; force?: boolean | undefined }
  /** Puts dead or pending requests away. */
  | { kind: 'discard' }
  /** Sets when pending requests may be attempted next. */
  | { kind: 'reschedule'; at: Date | 'now' }
  /** Frees the slots of relays that are gone or hang; `rows` are slots. With `force` those of any relay. */
  | { kind: 'release_stuck'; force?: boolean | undefined };

/** Which requests: `all` is for `release_stuck` alone. */
export type Selection = { ids: number[] } | { isrcs: string[] } | { filter: OutboxFilter } | { all: true };

export type ActOptions = {
  selection: Selection;
  /** Why, for those who look later. */
  reason: string;
  /** The person; by default the user of the database. */
  actor?: string | undefined;
  /** Counts, and changes nothing. */
  dryRun?: boolean;
  /** Rows that one call changes at the most. */
  atMost?: number;
  /** `next` of the call before, and the action that it recorded. */
  after?: string | null;
  continues?: number | null;
};

/** A request, a recording or a slot that was not changed, and why: often it has moved on since somebody looked. */
export type Refusal = { id?: number; isrc?: string; slot?: number; status?: string; why: string };

/** What one call did. */
export type Step = {
  /** In `ingestion_actions`; null for a dry run. */
  actionId: number | null;
  rows: number;
  refused: number;
  /** The first 100. */
  refusals: Refusal[];
  /** Where to go on; null when all that matched was seen. */
  next: string | null;
};

/** Nothing was changed, since nothing of what was named can be (a 409 of a web page). */
export class ActionRefused extends Error {
  override name = 'ActionRefused';
  readonly refusals: Refusal[];

  constructor(message: string, refusals: Refusal[]) {
    super(message);
    this.refusals = refusals;
  }
}

/** The action makes no sense as it was asked for (a 400 of a web page). */
export class ActionInvalid extends Error {
  override name = 'ActionInvalid';
}

/**
 * Does one step of an action: the functions in `drizzle/` decide, change and record.
 *
 * @throws ActionRefused when nothing of what was named can be changed; ActionInvalid when it makes no sense
 */
export async function act(db: Queryable, action: Action, options: ActOptions): Promise<Step> {
  const {
    selection,
    reason,
    actor = null,
    dryRun = false,
    atMost = 1_000,
    after = null,
    continues = null,
  } = options;
  const ids = 'ids' in selection ? selection.ids : null;
  const isrcs = 'isrcs' in selection ? selection.isrcs : null;
  const filter = 'filter' in selection ? JSON.stringify(filterForDatabase(selection.filter)) : null;
  const which = db`ids => ${ids}::bigint[], isrcs => ${isrcs}::text[], filter => ${filter}::text::jsonb,
    reason => ${reason}, actor => ${actor}, dry_run => ${dryRun}`;
  const paged = db`at_most => ${atMost}, after => ${after}, continues => ${continues}`;
  try {
    const [step] = await db<[Step]>`
      SELECT action_id AS "actionId", rows, refused, refusals, next FROM ${call()}`;
    return step;
  } catch (error) {
    throw translated(error);
  }

  function call() {
    switch (action.kind) {
      case 'requeue':
        return db`ingestion_outbox_requeue(${which}, ${paged}, force => ${action.force ?? null})`;
      case 'discard':
        return db`ingestion_outbox_discard(${which}, ${paged})`;
      case 'reschedule':
        return action.at === 'now'
          ? db`ingestion_outbox_reschedule(${which}, ${paged})`
          : db`ingestion_outbox_reschedule(${which}, ${paged}, at => ${action.at})`;
      case 'release_stuck':
        return db`ingestion_outbox_release_stuck(${which}, force => ${action.force ?? false})`;
    }
  }
}

/**
 * Does an action on all that matches, step by step, each a transaction of its own: no statement holds many rows, and
 * what was done stays done when it is stopped between two.
 *
 * @returns each step, with what was done so far in `rows` and `refused`
 * @throws as {@link act}
 */
export async function* actInSteps(
  db: Queryable,
  action: Action,
  options: Omit<ActOptions, 'after' | 'continues' | 'dryRun'>,
): AsyncGenerator<Step> {
  const nothing: Step = { actionId: null, rows: 0, refused: 0, refusals: [], next: null };
  for (let done = nothing, first = true; first || done.next !== null; first = false) {
    const step = await act(db, action, { ...options, after: done.next, continues: done.actionId });
    done = {
      ...step,
      rows: done.rows + step.rows,
      refused: done.refused + step.refused,
      refusals: [...done.refusals, ...step.refusals].slice(0, 100),
    };
    yield done;
  }
}

/** 55000: nothing can be changed. 22…, 23514: what was asked for makes no sense. */
export function translated(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, detail } = error as Error & { code?: string; detail?: string };
  if (code === '55000')
    return new ActionRefused(error.message, detail?.startsWith('[') ? JSON.parse(detail) : []);
  if (code?.startsWith('22')) return new ActionInvalid(error.message);
  return error;
}
