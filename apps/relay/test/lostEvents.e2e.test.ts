import { ingestionRequested } from '@segue/ingestion/event.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import { eventually } from '@segue/testing/eventually.ts';
import { startProcess } from '@segue/testing/process.ts';
import { createTrackIndex } from '@segue/track-index/trackIndex.ts';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { Breaker } from '../guards/breaker.ts';
import { IndexReconciliation } from '../upkeep/reconciliation.ts';
import { newIsrc, useRelayProcesses } from './relayProcess.ts';
import { collection } from './surroundings.ts';

const here = useRelayProcesses();
const hourMs = 3_600_000;

async function startWorker() {
  const worker = await startProcess('apps/worker/main.ts', {
    QDRANT_URL: here.qdrant.url,
    INNGEST_BASE_URL: here.inngest.url,
    INNGEST_DEV: '1',
    INNGEST_EVENT_KEY: 'a-secret-event-key',
    WORKER_PORT: '0',
    WORKER_THROTTLE_PER_MINUTE: '0',
  });
  onTestFinished(async () => {
    worker.kill('SIGKILL');
    await worker.exited;
  });
  return worker;
}

/** Takes the turn from the relay, which looks for what is lost every 30 s. */
function startReconciliation(): void {
  const reconciliation = new IndexReconciliation({
    sql: here.sql,
    index: createTrackIndex({ url: here.qdrant.url, collection, timeoutMs: 2_000 }),
    indexBreaker: new Breaker({ firstWaitMs: 20, longestWaitMs: 20 }),
    logger: pino({ level: 'silent' }) as unknown as Logger,
    afterMs: 26 * hourMs,
    limit: 3,
    perMinute: 100,
    everyMs: 50,
    idleEveryMs: 50,
    wholeEveryMs: 50,
    youngestMs: 0,
    onReconciled: () => undefined,
  });
  reconciliation.start();
  onTestFinished(() => reconciliation.stop());
}

/** Lets 27 hours go by for what has not reached the index. */
const waitForTheMissing = () => here.sql`
  WITH missing AS (
    UPDATE ingestion_ledger AS ledger SET sent_at = ledger.sent_at - interval '27 hours'
    FROM ingestion_outbox AS request
    WHERE request.id = ledger.outbox_id AND request.status = 'scheduled' AND ledger.indexed_at IS NULL
      AND ledger.sent_at > now() - interval '1 hour'
    RETURNING request.id
  )
  UPDATE ingestion_outbox SET settled_at = settled_at - interval '27 hours' WHERE id IN (SELECT id FROM missing)`;

/** With its own priority a recording that is sent anew would wait 10 minutes, as it does at Inngest. */
async function sendAnewAtOnce(): Promise<void> {
  await here.sql.unsafe(`
    CREATE FUNCTION at_once() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.priority := 0; RETURN NEW; END';
    CREATE TRIGGER at_once BEFORE INSERT ON ingestion_outbox FOR EACH ROW EXECUTE FUNCTION at_once()`);
}

test('where Inngest loses every tenth event that it has accepted, every recording is indexed in the end, once', async () => {
  await sendAnewAtOnce();
  let accepted = 0;
  here.inngest.loseEvents(({ name }) => name === ingestionRequested && ++accepted % 10 === 0);
  const worker = await startWorker();
  startReconciliation();
  await eventually(async () =>
    expect(await here.sql`SELECT FROM relay_reconciliation WHERE holder IS NOT NULL`).toHaveLength(1),
  );
  await here.start();
  const isrcs = Array.from({ length: 45 }, newIsrc);
  await here.add(isrcs.map(isrc => ({ isrc })));

  const indexedOnce = (count: number) => {
    const indexed = worker.logs.filter(({ event }) => event === 'document_indexed').map(({ isrc }) => isrc);
    expect(indexed).toHaveLength(count);
    expect(new Set(indexed).size).toBe(count);
  };
  await eventually(() => indexedOnce(41), { timeoutMs: 30_000 });
  await eventually(async () =>
    expect(await here.sql`SELECT FROM ingestion_ledger WHERE indexed_at IS NOT NULL`).toHaveLength(41),
  );

  await eventually(
    async () => {
      await waitForTheMissing();
      indexedOnce(45);
    },
    { timeoutMs: 30_000 },
  );
  const sent = await here.sql<{ isrc: string; generation: number }[]>`
    SELECT isrc, generation FROM ingestion_ledger ORDER BY isrc`;
  expect(sent.map(({ isrc }) => isrc)).toEqual(isrcs);
  expect(sent.filter(({ generation }) => generation > 1).length).toBeGreaterThanOrEqual(4);
});
