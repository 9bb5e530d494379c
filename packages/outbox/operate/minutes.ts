import type { Queryable, Sql } from '@segue/database/connection.ts';

/** Seconds from commit to sent: the upper bounds of what `ingestion_figures.lag` counts; one count more is for all above. */
export const lagBuckets = [
  0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3_600, 21_600,
] as const;

/** What a relay did since it last said so. */
export type Outcomes = {
  scheduled: number;
  alreadyIndexed: number;
  duplicate: number;
  dead: number;
  refused: number;
  /** Sent anew, since they had vanished (rule R12). */
  reconciled: number;
  /** A count for each of {@link lagBuckets}, and one. */
  lag: number[];
};

/** Requests that one step of {@link countRequested} counts at the most. */
const countedAtOnce = 50_000;

/**
 * Adds to the minute that it is now by the database's clock; also nothing, which says that somebody is there.
 *
 * @returns the database's clock, and whether there are requests that {@link countRequested} has not counted
 */
export async function addOutcomes(
  db: Queryable,
  outcomes: Outcomes,
): Promise<{ at: Date; hasUncounted: boolean }> {
  const { scheduled, alreadyIndexed, duplicate, dead, refused, reconciled, lag } = outcomes;
  const [minute] = await db<[{ at: Date; hasUncounted: boolean }]>`
    INSERT INTO ingestion_figures AS figures
      (minute, scheduled, already_indexed, duplicate, dead, refused, reconciled, lag)
    VALUES (date_trunc('minute', now()), ${scheduled}, ${alreadyIndexed}, ${duplicate}, ${dead}, ${refused}, ${reconciled},
      ${lag}::int[])
    ON CONFLICT (minute) DO UPDATE SET scheduled = figures.scheduled + excluded.scheduled,
      already_indexed = figures.already_indexed + excluded.already_indexed,
      duplicate = figures.duplicate + excluded.duplicate, dead = figures.dead + excluded.dead,
      refused = figures.refused + excluded.refused, reconciled = figures.reconciled + excluded.reconciled,
      lag = ARRAY(
        SELECT coalesce(old, 0) + coalesce(new, 0)
        FROM unnest(figures.lag, excluded.lag) WITH ORDINALITY AS both_of (old, new, place) ORDER BY place
      )
    RETURNING clock_timestamp() AS at,
      (SELECT max(id) FROM ingestion_outbox) > (SELECT coalesce(max(last_id), 0) FROM ingestion_figures) AS "hasUncounted"`;
  return { ...minute, hasUncounted: minute.hasUncounted ?? false };
}

/**
 * Counts the requests that have come since the last count into the minutes in which they were made: one relay at a time,
 * so that none is counted twice. A request whose transaction was still open at the count of a later id is left out.
 *
 * @returns how many were counted; null when another relay counts
 */
export async function countRequested(sql: Sql): Promise<number | null> {
  return await sql.begin(async transaction => {
    const [turn] = await transaction<[{ mine: boolean }]>`
      SELECT pg_try_advisory_xact_lock(hashtext('ingestion_figures')) AS mine`;
    if (!turn.mine) return null;
    const [answer] = await transaction<[{ counted: number }]>`
      WITH fresh AS MATERIALIZED (
        SELECT id, date_trunc('minute', created_at) AS minute FROM ingestion_outbox
        WHERE id > coalesce((SELECT max(last_id) FROM ingestion_figures), (SELECT max(id) FROM ingestion_outbox) - ${countedAtOnce}, 0)
        ORDER BY id LIMIT ${countedAtOnce}
      ),
      counted AS (
        INSERT INTO ingestion_figures AS figures (minute, requested, last_id)
        SELECT minute, sum(requested)::int, max(last_id)
        FROM (
          SELECT minute, count(*) AS requested, NULL::bigint AS last_id FROM fresh
          WHERE minute BETWEEN now() - interval '7 days' AND now() GROUP BY 1
          UNION ALL SELECT date_trunc('minute', now()), 0, max(id) FROM fresh HAVING count(*) > 0
        ) AS minutes
        GROUP BY 1 ORDER BY 1
        ON CONFLICT (minute) DO UPDATE SET requested = figures.requested + excluded.requested,
          last_id = greatest(figures.last_id, excluded.last_id)
      )
      SELECT count(*)::int AS counted FROM fresh`;
    return answer.counted;
  });
}

/** Deletes the minutes that no chart shows any more. The newest keeps from where to count on. */
export async function pruneMinutes(db: Queryable): Promise<number> {
  const { count } = await db`
    DELETE FROM ingestion_figures WHERE minute < now() - interval '8 days'
      AND minute < (SELECT max(minute) FROM ingestion_figures WHERE last_id IS NOT NULL)`;
  return count;
}

/** What a chart shows, and how many minutes a point of it stands for. */
export const ranges = {
  hour: { minutes: 60, step: 1 },
  day: { minutes: 1_440, step: 5 },
  week: { minutes: 10_080, step: 30 },
} as const;

export type Range = keyof typeof ranges;

/** Columns of a chart, the oldest first. Figures are per minute; null where no relay said anything. */
export type Chart = {
  /** Seconds since 1970. */
  minute: number[];
  requested: (number | null)[];
  scheduled: (number | null)[];
  skipped: (number | null)[];
  dead: (number | null)[];
  /** Seconds from commit to sent, of half of the requests and of 95 %; null where nothing was sent. */
  lagMedian: (number | null)[];
  lagHigh: (number | null)[];
};

type Minute = {
  minute: number;
  requested: number;
  scheduled: number;
  skipped: number;
  dead: number;
  lag: number[];
};

/** The minutes that have passed; the one that it is now would look like a drop. */
export async function readChart(db: Queryable, range: Range): Promise<Chart> {
  const { minutes, step } = ranges[range];
  const [clock] = await db<
    [{ now: number }]
  >`SELECT extract(epoch FROM date_trunc('minute', now()))::int AS now`;
  const end = Math.floor(clock.now / (60 * step)) * 60 * step;
  const start = end - minutes * 60;
  const rows = await db<Minute[]>`
    SELECT extract(epoch FROM minute)::int AS minute, requested, scheduled, already_indexed + duplicate AS skipped, dead, lag
    FROM ingestion_figures WHERE minute >= to_timestamp(${start}) AND minute < to_timestamp(${end}) ORDER BY minute`;
  const chart: Chart = {
    minute: [],
    requested: [],
    scheduled: [],
    skipped: [],
    dead: [],
    lagMedian: [],
    lagHigh: [],
  };
  let at = 0;
  for (let point = start; point < end; point += step * 60) {
    const own: Minute[] = [];
    for (let row = rows[at]; row !== undefined && row.minute < point + step * 60; row = rows[at]) {
      own.push(row);
      at += 1;
    }
    const perMinute = (name: 'requested' | 'scheduled' | 'skipped' | 'dead') =>
      own.length === 0 ? null : Number((own.reduce((sum, row) => sum + row[name], 0) / step).toFixed(1));
    const lag = addUp(own.map(row => row.lag));
    chart.minute.push(point);
    for (const name of ['requested', 'scheduled', 'skipped', 'dead'] as const)
      chart[name].push(perMinute(name));
    chart.lagMedian.push(quantile(lag, 0.5));
    chart.lagHigh.push(quantile(lag, 0.95));
  }
  return chart;
}

/** What happened in the last few minutes that have figures, and how old these are. */
export type Rates = {
  requested: number;
  scheduled: number;
  skipped: number;
  dead: number;
  /** Seconds within which 95 % were sent; null when nothing was. */
  lagHigh: number | null;
  /** Since the end of the last minute in which something was scheduled; null when there is none. Right to a minute. */
  lastScheduledSeconds: number | null;
  /** Since the newest minute with figures began; null when there are none. */
  ageSeconds: number | null;
};

/** Of the last five minutes, for each minute. */
export async function readRates(db: Queryable): Promise<Rates> {
  const [rows, [ages]] = await Promise.all([
    db<(Omit<Minute, 'minute'> & { ageSeconds: number })[]>`
      SELECT requested, scheduled, already_indexed + duplicate AS skipped, dead, lag,
        extract(epoch FROM now() - minute)::float8 AS "ageSeconds"
      FROM ingestion_figures WHERE minute > now() - interval '5 minutes' ORDER BY minute DESC`,
    db<[Pick<Rates, 'ageSeconds' | 'lastScheduledSeconds'>]>`
      SELECT extract(epoch FROM now() - (SELECT max(minute) FROM ingestion_figures))::float8 AS "ageSeconds",
        (SELECT greatest(0, extract(epoch FROM now() - minute) - 60)::float8 FROM ingestion_figures
          WHERE scheduled > 0 ORDER BY minute DESC LIMIT 1) AS "lastScheduledSeconds"`,
  ]);
  // The first of the five is cut off by now, as the last one is.
  const minutes = Math.max(1, Math.min(5, (rows.at(-1)?.ageSeconds ?? 60) / 60));
  const perMinute = (name: 'requested' | 'scheduled' | 'skipped' | 'dead') =>
    rows.reduce((sum, row) => sum + row[name], 0) / minutes;
  return {
    requested: perMinute('requested'),
    scheduled: perMinute('scheduled'),
    skipped: perMinute('skipped'),
    dead: perMinute('dead'),
    lagHigh: quantile(addUp(rows.map(row => row.lag)), 0.95),
    ...ages,
  };
}

function addUp(counts: number[][]): number[] {
  return counts.reduce<number[]>(
    (sums, each) =>
      Array.from(
        { length: Math.max(sums.length, each.length) },
        (_, at) => (sums[at] ?? 0) + (each[at] ?? 0),
      ),
    [],
  );
}

/** Within how many seconds such a share was sent, between the bounds of its bucket; null when nothing was. */
export function quantile(lag: number[], share: number): number | null {
  const total = lag.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const wanted = total * share;
  let passed = 0;
  for (const [at, count] of lag.entries()) {
    const lower = lagBuckets[at - 1] ?? 0;
    const upper = lagBuckets[at] ?? lower;
    if (count > 0 && passed + count >= wanted) {
      return Number((lower + ((upper - lower) * (wanted - passed)) / count).toPrecision(3));
    }
    passed += count;
  }
  return lagBuckets.at(-1) ?? null;
}
