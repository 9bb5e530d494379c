import type { Sql } from '@segue/database/connection.ts';
import type { ClaimedRow } from '@segue/outbox/claim.ts';
import { release, retryLater } from '@segue/outbox/release.ts';
import {
  type ClosedBatch,
  readSettledUnder,
  type Settlement,
  settleDead,
  settle as settleRows,
} from '@segue/outbox/settle.ts';
import { crashPoint } from '@segue/process/crashPoint.ts';
import type { Conclusion, Release } from './conclude.ts';
import type { Refusal } from './send.ts';

/** What was truly written down, each row under this lease. */
export type Settled = {
  scheduled: ClaimedRow[];
  indexed: ClaimedRow[];
  duplicates: ClaimedRow[];
  /** Refused by Inngest, once more or for good. */
  refused: (Refusal & { dead: boolean })[];
  /** Handed back. */
  released: Release[];
  /** Albums whose last row this was. */
  closed: ClosedBatch[];
  /** Rows that another relay had taken over meanwhile; nothing of them was changed. */
  lost: number;
  /** The first statement that failed; its rows are left to their lease, all others are as told here. */
  failure?: { error: unknown };
};

export type SettleOptions = {
  lease: string;
  maxAttempts: number;
  dedupeWindowMs: number;
  /** Runs a statement, and again while the database does not answer and the lease lasts. */
  insist: <Result>(statement: () => Promise<Result>) => Promise<Result>;
};

/** The wait after the first refusal, doubled with each further one: 10 attempts take about 3 minutes. */
const firstRetryMs = 500;
const longestRetryMs = 60_000;

/**
 * Writes the conclusion down: what is settled in one statement, since every further one costs a batch 0.4 ms, and
 * beside it at the same time what is refused or handed back. A statement that fails does not take the others with
 * it: what is written is to be told of, as nobody comes to it a second time.
 */
export async function settle(
  sql: Sql,
  conclusion: Conclusion,
  { lease, maxAttempts, dedupeWindowMs, insist }: SettleOptions,
): Promise<Settled> {
  const settled: Settled = {
    scheduled: [],
    indexed: [],
    duplicates: [],
    refused: [],
    released: [],
    closed: [],
    lost: 0,
  };

  const write = async <Row extends ClaimedRow>(
    rows: Row[],
    statement: (ids: number[]) => Promise<Settlement>,
  ): Promise<Row[]> => {
    if (rows.length === 0) return [];
    const { ids, closed } = await insist(() => statement(idsOf(rows)));
    crashPoint('within_settlement');
    settled.closed.push(...closed);
    if (ids.length === rows.length) return rows;
    const own = new Set(ids);
    const missing = idsOf(rows).filter(id => !own.has(id));
    for (const id of await insist(() => readSettledUnder(sql, lease, missing))) own.add(id);
    settled.lost += rows.length - own.size;
    return rows.filter(row => own.has(row.id));
  };

  const writeSettled = async () => {
    const { scheduled, duplicates, indexed, indexedUnsent } = conclusion;
    const outcomes = {
      scheduled,
      duplicates: idsOf(duplicates),
      indexed: idsOf(indexed),
      indexedUnsent: idsOf(indexedUnsent),
    };
    const rows = [...scheduled, ...duplicates, ...indexed, ...indexedUnsent];
    const own = new Set(await write<ClaimedRow>(rows, () => settleRows(sql, lease, outcomes)));
    settled.scheduled = scheduled.filter(row => own.has(row));
    settled.duplicates = duplicates.filter(row => own.has(row));
    settled.indexed = [...indexed, ...indexedUnsent].filter(row => own.has(row));
  };

  const writeRefusal = async (refusal: Refusal) => {
    const { row, error, final } = refusal;
    const dead = final || row.attempts + 1 >= maxAttempts;
    const delayMs = Math.min(longestRetryMs, firstRetryMs * 2 ** row.attempts) * (1 + Math.random() / 4);
    const own = await write([row], async ids =>
      dead
        ? settleDead(sql, lease, { id: row.id, reason: error }, { dedupeWindowMs })
        : { ids: (await retryLater(sql, lease, row.id, { delayMs, error })) ? ids : [], closed: [] },
    );
    if (own.length > 0) settled.refused.push({ ...refusal, dead });
  };

  const groups = await Promise.allSettled([
    writeSettled(),
    ...conclusion.refused.map(writeRefusal),
    ...conclusion.released.map(async ({ rows, ...options }) => {
      const own = await write(rows, async ids => ({
        ids: await release(sql, lease, ids, options),
        closed: [],
      }));
      settled.released.push({ rows: own, ...options });
    }),
  ]);
  const failed = groups.find(group => group.status === 'rejected');
  return failed ? { ...settled, failure: { error: failed.reason } } : settled;
}

function idsOf(rows: ClaimedRow[]): number[] {
  return rows.map(row => row.id);
}
