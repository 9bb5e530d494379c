import { setTimeout as wait } from 'node:timers/promises';
import type { Sql } from '@segue/database/connection.ts';
import { Breaker } from '@segue/relay/guards/breaker.ts';
import { IndexReconciliation } from '@segue/relay/upkeep/reconciliation.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import { createTrackIndex } from '@segue/track-index/trackIndex.ts';
import { pino } from 'pino';
import type { Touched } from './hands.ts';
import type { AcceptedEvent } from './model.ts';
import type { Services } from './system/services.ts';
import { ofTrials } from './workload.ts';

/** Recordings of which Inngest loses every third. Each is requested once. */
const family = 'QZLST';
export const isOfLossyFamily = (isrc: string) => isrc.startsWith(family);

/** Whether Inngest takes this event, answers with an id, and forgets it. What is sent anew it keeps. */
export function isLost({ id }: { id: string }): boolean {
  const [, isrc = '', generation] = id.split(':');
  return isOfLossyFamily(isrc) && Number(isrc.slice(-3)) % 3 === 0 && generation === '1';
}

const hourMs = 3_600_000;
/** A recording that is lost is noticed, requested anew and worked on within some seconds. */
const mendWithinMs = 60_000;
/** At five looks a second: longer than a relay takes a turn for granted. */
const looksForATurn = 75;
/** So long a wiped index is looked at before it is whole again: some dozen rounds of the comparison. */
const wipedMs = 1_500;

export type MendOptions = {
  sql: Sql;
  services: Services;
  touched: Touched;
  /** What the index holds besides. */
  indexed: ReadonlySet<string>;
  /** Whether the index is wiped for a while first: nothing may be sent anew then. */
  wiped: boolean;
};

/**
 * Lets 27 hours go by for what has not reached the index, compares, and waits until all of the family is there
 * (rule R12). A relay compares every 30 s; here it is done every 500 ms.
 *
 * @returns a sentence for each thing that is wrong
 */
export async function mendLostEvents({
  sql,
  services,
  touched,
  indexed,
  wiped,
}: MendOptions): Promise<string[]> {
  const rows = await sql<{ isrc: string; title: string }[]>`
    SELECT DISTINCT isrc, title FROM ingestion_outbox WHERE isrc LIKE ${`${family}%`}`;
  const wanted = rows.filter(({ title }) => !touched.removed.has(title)).map(({ isrc }) => isrc);
  const isThere = () => new Set(services.worked());
  // What was sent later and has reached the index: without that, it could be a standstill. Each trial adds
  // some, also where the table was truncated before it.
  const later = isThere()
    .values()
    .filter(isrc => Object.values(ofTrials).some(prefix => isrc.startsWith(prefix)));
  const arrived = isThere().intersection(new Set(wanted)).union(new Set(later));
  await services.index([...arrived]);
  const problems: string[] = [];

  const reconciliation = new IndexReconciliation({
    sql,
    index: createTrackIndex({ url: services.indexUrl, collection: 'tracks', timeoutMs: 2_000 }),
    indexBreaker: new Breaker({ firstWaitMs: 20, longestWaitMs: 20 }),
    logger: pino({ level: 'silent' }) as unknown as Logger,
    afterMs: 26 * hourMs,
    limit: 3,
    perMinute: 1_000,
    everyMs: 100,
    idleEveryMs: 100,
    wholeEveryMs: 500,
    youngestMs: 0,
    onReconciled: () => undefined,
  });
  // A relay may be quicker to take its turn back.
  const takeTheTurn = () => sql`UPDATE relay_reconciliation SET holder = NULL, lease_end = '-infinity'`;
  const letADayPass = () => sql`
    WITH missing AS (
      UPDATE ingestion_ledger AS ledger SET sent_at = ledger.sent_at - interval '27 hours'
      FROM ingestion_outbox AS request
      WHERE request.id = ledger.outbox_id AND request.isrc = ledger.isrc AND request.status = 'scheduled'
        AND ledger.indexed_at IS NULL AND request.settled_at > now() - interval '24 hours'
        AND ledger.isrc = ANY(${wanted.filter(isrc => !arrived.has(isrc))})
      RETURNING request.id
    )
    UPDATE ingestion_outbox SET settled_at = settled_at - interval '27 hours' WHERE id IN (SELECT id FROM missing)`;

  await letADayPass();
  await takeTheTurn();
  if (wiped && arrived.size > 0) {
    await services.wipeIndex();
    const before = await countAnew(sql);
    reconciliation.start();
    await wait(wipedMs);
    const anew = (await countAnew(sql)) - before;
    if (anew > 0) problems.push(`R12: the index was wiped, and ${anew} recordings were sent anew`);
    await services.index([...indexed, ...arrived]);
  } else reconciliation.start();

  const start = performance.now();
  let missing = new Set(wanted);
  for (let looks = 1; performance.now() - start < mendWithinMs; looks++) {
    if (looks % looksForATurn === 0) await takeTheTurn();
    missing = new Set(wanted).difference(isThere());
    if (missing.size === 0) break;
    await wait(200);
  }
  await reconciliation.stop();
  for (const isrc of missing)
    problems.push(`R12: ${isrc} was sent, lost, and is not in the index: ${await storyOf(sql, isrc)}`);
  return problems;
}

/** What the tables say of a recording, for whoever has to find out why. */
async function storyOf(sql: Sql, isrc: string): Promise<string> {
  const [story] = await sql`
    SELECT (SELECT json_agg(request ORDER BY id) FROM ingestion_outbox AS request WHERE request.isrc = ${isrc}) AS requests,
      (SELECT to_json(ledger) FROM ingestion_ledger AS ledger WHERE ledger.isrc = ${isrc}) AS ledger,
      (SELECT to_json(turn) FROM relay_reconciliation AS turn) AS turn, now() AS now`;
  return JSON.stringify(story);
}

async function countAnew(sql: Sql): Promise<number> {
  const [answer] = await sql<[{ count: number }]>`
    SELECT coalesce(sum(times), 0)::int AS count FROM ingestion_reconciled`;
  return answer.count;
}

/** Rule R12, R6: what is sent anew is sent under the next generation, once; what was kept is sent once. */
export function lossViolations(events: AcceptedEvent[]): string[] {
  const family = events.filter(({ data }) => isOfLossyFamily(String(data?.isrc)));
  return [...Map.groupBy(family, ({ data }) => String(data?.isrc))].flatMap(([isrc, sent]) => {
    const kept = new Set(sent.map(({ id }) => id));
    return kept.size > 1 ? `R12: ${isrc} was worked on ${kept.size} times: ${[...kept].join(', ')}` : [];
  });
}
