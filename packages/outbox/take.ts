import type { Queryable } from '@segue/database/connection.ts';
import { commitAsynchronously } from './asynchronousCommit.ts';
import { owned } from './settle.ts';

/** What a request needs to be told apart in the ledger. */
export type Taking = { id: number; isrc: string };

/** What the ledger says of a claimed row. */
export type Verdict =
  /** The row owns the sending. `fresh`: by this very call, so that nothing of it was sent before. */
  | { id: number; verdict: 'taken'; generation: number; fresh: boolean }
  /** The recording was sent within the dedupe window. */
  | { id: number; verdict: 'duplicate' }
  /**
   * Another row that is still open owns the sending: whether this one is a duplicate is not known yet. `soon`:
   * a relay has the holder in hand, and mostly settles it within milliseconds.
   */
  | { id: number; verdict: 'held'; holder: number; soon: boolean };

/**
 * Asks the ledger which of the rows may be sent. The database decides, by the ledger's primary key: of two
 * relays that hold the same ISRC at the same moment, one takes it.
 *
 * @param lease under which the rows were claimed
 * @param dedupeWindowMs how long a sending makes later requests duplicates
 * @returns one verdict a row, in the order given; a row of which another relay has taken hold since is held by itself
 */
export async function take(
  db: Queryable,
  lease: string,
  rows: Taking[],
  { dedupeWindowMs }: { dedupeWindowMs: number },
): Promise<Verdict[]> {
  const verdicts = new Map<number, Verdict>();
  for (const { id } of await takeNew(db, rows)) {
    verdicts.set(id, { id, verdict: 'taken', generation: 1, fresh: true });
  }
  const known = rows.filter(row => !verdicts.has(row.id));
  if (known.length > 0) {
    for (const verdict of await takeKnown(db, lease, known, dedupeWindowMs))
      verdicts.set(verdict.id, verdict);
  }
  return rows.map(row => verdicts.get(row.id) ?? { id: row.id, verdict: 'held', holder: row.id, soon: true });
}

/**
 * Enters the recordings that the ledger does not know: almost all, almost always. Sorted by ISRC, so that two
 * relays that enter the same ones wait for each other in the same order, and never for one another.
 *
 * Needs no look at the lease: whoever took a request over has entered its recording before it could settle it, and
 * the ledger forgets none.
 */
function takeNew(db: Queryable, rows: Taking[]): Promise<{ id: number }[]> {
  return db<{ id: number }[]>`
    INSERT INTO ingestion_ledger (isrc, outbox_id, generation, sent_at)
    SELECT isrc, id, 1, now()
    FROM unnest(${rows.map(row => row.isrc)}::text[], ${rows.map(row => row.id)}::bigint[]) AS request (isrc, id)
    ORDER BY isrc, id
    ON CONFLICT (isrc) DO NOTHING
    RETURNING outbox_id AS id`;
}

/** What each row has seen of the ledger, and after all of them the rows that have taken their recording. */
type Known = {
  id: number;
  isrc: string;
  owner: number;
  verdict: 'own' | 'free' | 'duplicate' | 'held' | 'taken';
  generation: number;
  soon: boolean;
};

/**
 * Decides on recordings that the ledger knows. A row takes one that is its own already (a retry, which keeps
 * its generation), or that no open row owns and that was not sent within the window, or is forced.
 *
 * What was seen is compared once more when it is changed (`outbox_id` and `generation` as they were): whoever
 * else took the recording in between wins, and this row is told that it is held.
 *
 * The rows stay locked until it is done: a relay that was away past its lease could otherwise wait for the ledger
 * while its successor settles the request as dead, and then write over it that it was sent. The next request would
 * be a duplicate of nothing. Whose lock is skipped is a successor's already.
 */
async function takeKnown(
  db: Queryable,
  lease: string,
  rows: Taking[],
  dedupeWindowMs: number,
): Promise<Verdict[]> {
  const answers = await db<Known[]>`
    WITH seen AS MATERIALIZED (
      SELECT request.id, request.isrc, ledger.outbox_id AS owner, ledger.generation,
        CASE
          WHEN ledger.outbox_id = request.id THEN 'own'
          WHEN owner.status IN ('pending', 'in_flight') THEN 'held'
          WHEN NOT request.force AND ledger.sent_at > now() - ${dedupeWindowMs} * interval '1 millisecond'
            THEN 'duplicate'
          ELSE 'free'
        END AS verdict,
        owner.status = 'in_flight' AND owner.available_at > now() AS in_hand
      FROM ingestion_outbox AS request
      JOIN ingestion_ledger AS ledger ON ledger.isrc = request.isrc
      LEFT JOIN ingestion_outbox AS owner ON owner.id = ledger.outbox_id
      WHERE request.id = ANY(${rows.map(row => row.id)}::bigint[]) AND ${owned(db, lease)}
      FOR UPDATE OF request SKIP LOCKED
    ),
    chosen AS (
      SELECT DISTINCT ON (isrc) * FROM seen WHERE verdict IN ('own', 'free')
      ORDER BY isrc, verdict DESC, id
    ),
    locked AS MATERIALIZED (
      SELECT chosen.* FROM chosen
      JOIN ingestion_ledger AS ledger ON ledger.isrc = chosen.isrc
        AND ledger.outbox_id = chosen.owner AND ledger.generation = chosen.generation
      ORDER BY ledger.isrc
      FOR UPDATE OF ledger
    ),
    taken AS (
      UPDATE ingestion_ledger AS ledger
      SET outbox_id = locked.id,
        generation = ledger.generation + CASE locked.verdict WHEN 'free' THEN 1 ELSE 0 END,
        prior_sent_at = CASE locked.verdict WHEN 'free' THEN ledger.sent_at ELSE ledger.prior_sent_at END,
        sent_at = now(),
        dead_reason = NULL
      FROM locked WHERE ledger.isrc = locked.isrc
      RETURNING ledger.outbox_id AS id, ledger.isrc, ledger.generation
    )
    -- Put together by us: joined here, without hashing, each row would look at each that was taken, and a batch of a
    -- thousand renewed requests took 80 ms instead of 20.
    SELECT id, isrc, verdict, owner, generation,
      -- Whoever took in between what this row saw to be free has it in hand, too.
      verdict <> 'held' OR coalesce(in_hand, false) AS soon
    FROM seen
    -- What was merely looked at need not be on the disk.
    WHERE EXISTS (SELECT FROM taken) OR ${commitAsynchronously(db)}
    UNION ALL SELECT id, isrc, 'taken', id, generation, true FROM taken`;
  const taken = new Map(answers.filter(row => row.verdict === 'taken').map(row => [row.isrc, row]));
  return answers.flatMap(({ id, isrc, verdict, owner, soon }): Verdict[] => {
    if (verdict === 'taken') return [];
    const taker = taken.get(isrc);
    if (taker?.id === id) {
      return [{ id, verdict: 'taken', generation: taker.generation, fresh: verdict === 'free' }];
    }
    if (verdict === 'duplicate') return [{ id, verdict }];
    return [{ id, verdict: 'held', holder: taker?.id ?? owner, soon }];
  });
}
