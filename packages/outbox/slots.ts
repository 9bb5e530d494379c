import type { Queryable } from '@segue/database/connection.ts';
import { slotCount } from '@segue/database/schema/slotCount.ts';

/**
 * Who may work on the recordings of a slot.
 *
 *              taken (epoch + 1)
 *     free ──────────────────────▶ owned ──┐ renewed, each quarter of a lease
 *      ▲                            │  ▲   │
 *      │  handed back, released     │  └───┘
 *      ├────────────────────────────┤
 *      │                            ▼
 *      └──── taken over ◀──── lease ended: any relay may take it; its owner may renew it until then
 *
 * A relay that writes for a slot names its epoch, and locks the slot's row against being taken meanwhile
 * (`settle.ts`): one that was away past its lease changes nothing.
 */
export type OwnedSlot = { slot: number; epoch: number };

export type RelayState = 'running' | 'held_back' | 'stopped';

export type Heartbeat = {
  /** New with each start of a relay. */
  id: string;
  host: string;
  version: string;
  /** `running` takes its share; `held_back` cannot send and leaves the slots to those that can; `stopped` is gone. */
  state: RelayState;
  leaseMs: number;
  /** Slots to hand back: nothing of them is in hand. */
  handBack: number[];
};

export type Holding = {
  /** What the relay owns from now on, for `leaseMs`. */
  owned: OwnedSlot[];
  /** How many slots it should own, of {@link slotCount}. */
  share: number;
  /** Slots that were handed back now. */
  handedBack: number;
  /** ms until the lease of a relay that is gone ends, so that its slots are free; null: there is none. */
  nextEndMs: number | null;
};

/** A lease that ends later than so many leases from now was written by a clock that was ahead, or by hand. */
const longestLeases = 10;

/**
 * Says that the relay is there, renews its slots, hands back those that it names, and takes free ones up to its share,
 * all in one statement and on the database's clock. A slot that another transaction locks is left for the next time.
 *
 * The share is equal for all relays that can send, and for all that there are when none can; the first ones by id take
 * what remains of the division. A relay counts until its lease has ended.
 */
export async function beat(
  db: Queryable,
  { id, host, version, state, leaseMs, handBack }: Heartbeat,
): Promise<Holding> {
  const [answer] = await db<
    [{ owned: OwnedSlot[] | null; share: number; handedBack: number; nextEndMs: number | null }]
  >`
    WITH said AS (
      INSERT INTO relays (id, host, version, state) VALUES (${id}, ${host}, ${version}, ${state})
      ON CONFLICT (id) DO UPDATE SET last_heartbeat = now(), state = excluded.state
    ),
    others AS MATERIALIZED (
      SELECT id, state FROM relays
      WHERE id <> ${id}::uuid AND state <> 'stopped'
        AND last_heartbeat > now() - ${leaseMs} * interval '1 millisecond'
        -- Else a clock that was ahead has written it.
        AND last_heartbeat < now() + ${leaseMs} * interval '1 millisecond'
    ),
    present AS MATERIALIZED (
      SELECT id, state FROM others
      UNION ALL SELECT ${id}::uuid, ${state} WHERE ${state} <> 'stopped'
    ),
    sharing AS MATERIALIZED (
      SELECT id, row_number() OVER (ORDER BY id) AS place, count(*) OVER () AS relays FROM present
      WHERE state = 'running' OR NOT EXISTS (SELECT FROM present WHERE state = 'running')
    ),
    share AS MATERIALIZED (
      SELECT coalesce(max(${slotCount} / relays + (place <= ${slotCount} % relays)::int), 0)::int AS slots
      FROM sharing WHERE id = ${id}::uuid
    ),
    mine AS MATERIALIZED (
      SELECT slot, slot = ANY(${handBack}::smallint[]) AS leaving FROM relay_slots
      WHERE owner = ${id}::uuid ORDER BY slot FOR UPDATE
    ),
    changed AS (
      UPDATE relay_slots AS slot
      SET owner = CASE WHEN mine.leaving THEN NULL ELSE slot.owner END,
        lease_end = CASE WHEN mine.leaving THEN now() ELSE now() + ${leaseMs} * interval '1 millisecond' END
      FROM mine WHERE slot.slot = mine.slot
      RETURNING slot.slot, slot.epoch, mine.leaving
    ),
    free AS MATERIALIZED (
      SELECT slot FROM relay_slots
      WHERE (owner IS NULL OR lease_end <= now() OR lease_end > now() + ${leaseMs * longestLeases} * interval '1 millisecond')
        AND owner IS DISTINCT FROM ${id}::uuid
      ORDER BY slot
      LIMIT greatest(0, (SELECT slots FROM share) - (SELECT count(*) FROM mine WHERE NOT leaving))
      FOR UPDATE SKIP LOCKED
    ),
    taken AS (
      UPDATE relay_slots AS slot
      SET owner = ${id}::uuid, epoch = slot.epoch + 1, lease_end = now() + ${leaseMs} * interval '1 millisecond'
      FROM free WHERE slot.slot = free.slot
      RETURNING slot.slot, slot.epoch
    ),
    owned AS (
      SELECT slot, epoch FROM changed WHERE NOT leaving
      UNION ALL SELECT slot, epoch FROM taken
    )
    SELECT
      (SELECT json_agg(json_build_object('slot', slot, 'epoch', epoch) ORDER BY slot) FROM owned) AS owned,
      (SELECT slots FROM share) AS share,
      (SELECT count(*)::int FROM changed WHERE leaving) AS "handedBack",
      (SELECT (extract(epoch FROM min(lease_end) - now()) * 1000)::float8 FROM relay_slots
        WHERE lease_end > now() AND isfinite(lease_end) AND owner <> ${id}::uuid AND owner NOT IN (SELECT id FROM others)
      ) AS "nextEndMs"`;
  return { ...answer, owned: answer.owned ?? [] };
}

/** Deletes relays that were last heard of so long ago. */
export async function forgetRelays(db: Queryable, { olderThanMs }: { olderThanMs: number }): Promise<void> {
  await db`
    DELETE FROM relays
    WHERE last_heartbeat < now() - ${olderThanMs} * interval '1 millisecond'
      AND id NOT IN (SELECT owner FROM relay_slots WHERE owner IS NOT NULL)`;
}
