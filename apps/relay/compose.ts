import type { ConnectionOptions } from '@segue/database/connection.ts';
import { openMigrated } from '@segue/database/openMigrated.ts';
import { connectThroughPooler } from '@segue/database/pooler.ts';
import { showPoolUse } from '@segue/database/poolUse.ts';
import { plannerSettings } from '@segue/outbox/plannerSettings.ts';
import type { Service } from '@segue/process/services.ts';
import { atMost } from '@segue/process/timeLimit.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import { createTrackIndex, type TrackIndex } from '@segue/track-index/trackIndex.ts';
import type { Configuration } from './configuration.ts';
import { accessSettings } from './console/access/variables.ts';
import { consoleSettings } from './console/consoleSettings.ts';
import { watchDependencies } from './console/live/dependencies.ts';
import { Breaker } from './guards/breaker.ts';
import { createEventSender, type EventSender } from './inngest/eventSender.ts';
import { listener } from './reading/listen.ts';
import { Poller } from './reading/poller.ts';
import { RecordingsInHand } from './reading/recordingsInHand.ts';
import { SlotKeeper } from './reading/slotKeeper.ts';
import { Relay } from './relay.ts';
import type { BatchReport } from './reporting/batchReport.ts';
import { DatabaseFigures } from './reporting/databaseFigures.ts';
import { Metrics } from './reporting/metrics.ts';
import { countReconciled, showPause } from './reporting/reconciliationMetrics.ts';
import { figuresOf } from './reporting/settledFigures.ts';
import { startServer } from './server.ts';
import { MinuteFigures } from './upkeep/minuteFigures.ts';
import { IndexReconciliation } from './upkeep/reconciliation.ts';
import { retention } from './upkeep/retention.ts';

const hourMs = 3_600_000;
/** At a stop, for each part of the upkeep. */
const upkeepStopMs = 400;

/**
 * For rows and slots. Relays lock rows for milliseconds, but a person may lock one in a terminal and go for lunch: such
 * a statement is broken off, and tried again later, so that the others go on. Three sessions: a read, a settlement and a
 * heartbeat at the same time; more have no use on two cores.
 */
const rowPool: Pick<ConnectionOptions, 'max' | 'settings'> = {
  max: 3,
  settings: { ...plannerSettings, lock_timeout: '200ms' },
};

/** For upkeep, and for what operators ask: rows do not wait for those. */
const upkeepPool: Pick<ConnectionOptions, 'max' | 'settings'> = { max: 2, settings: plannerSettings };

/** For what people look at. */
const consolePool: Pick<ConnectionOptions, 'max' | 'settings' | 'applicationName'> = {
  applicationName: 'segue-console',
  max: 2,
  settings: consoleSettings,
};

/** What tests, the chaos run and the bench put in the place of a part. */
export type Parts = {
  index: TrackIndex;
  inngestBreaker: Breaker;
  indexBreaker: Breaker;
  sender: EventSender;
  onBatch: (report: BatchReport) => void;
  /** Between two looks at the index for what was sent, in ms. */
  confirmEveryMs: number;
};

export type Composition = {
  /** In the order in which they start. */
  services: Service[];
  keeper: SlotKeeper;
  poller: Poller;
  /** Where the server listens, once it has started. */
  address: () => string;
};

/**
 * Puts a relay together, ready to be started.
 *
 * @throws Error when the database cannot be reached or has no tables
 */
export async function composeRelay(
  configuration: Configuration,
  logger: Logger,
  parts: Partial<Parts> = {},
): Promise<Composition> {
  const { DATABASE_URL: url } = configuration;
  const onLost = (message: string) => logger.warn({ event: 'database_connection_lost' }, message);
  const client = { url, schema: configuration.DATABASE_SCHEMA, applicationName: 'segue-relay', onLost };
  // The first looks whether there are tables.
  const rows = await openMigrated({ ...client, ...rowPool });
  const upkeep = await connectThroughPooler({ ...client, ...upkeepPool });
  const people = await connectThroughPooler({
    ...client,
    ...consolePool,
    url: configuration.CONSOLE_DATABASE_URL ?? url,
  });

  const inngestBreaker = parts.inngestBreaker ?? new Breaker({ firstWaitMs: 1_000, longestWaitMs: 5_000 });
  const indexBreaker = parts.indexBreaker ?? new Breaker({ firstWaitMs: 5_000, longestWaitMs: 30_000 });
  const figures = new DatabaseFigures({ sql: upkeep });
  const metrics = new Metrics({ figures, inngestBreaker, indexBreaker });
  showPoolUse(metrics.meter, 'rows', rows);
  showPoolUse(metrics.meter, 'upkeep', upkeep);
  const minutes = new MinuteFigures();
  const poller = new Poller({ pollIntervalMs: configuration.RELAY_POLL_INTERVAL_MS });
  const inHand = new RecordingsInHand();
  const index =
    parts.index ??
    createTrackIndex({
      url: configuration.QDRANT_URL,
      apiKey: configuration.QDRANT_API_KEY,
      collection: configuration.QDRANT_COLLECTION,
      timeoutMs: 2_000,
      onMissing: message => logger.warn({ event: 'collection_missing' }, message),
      onOtherShape: error => logger.error({ event: 'qdrant_error', error }, error),
    });
  const keeper: SlotKeeper = new SlotKeeper({
    sql: rows,
    leaseMs: configuration.RELAY_LEASE_MS,
    logger,
    canSend: () => inngestBreaker.heldBackMs < configuration.RELAY_LEASE_MS,
    makesProgress: () => relay.makesProgress,
    isInHand: slot => inHand.hasOfSlot(slot),
    onTaken: () => poller.hint(),
  });
  const relay: Relay = new Relay({
    sql: rows,
    logger,
    poller,
    inHand,
    keeper,
    index,
    indexBreaker,
    sender: parts.sender ?? createEventSender(),
    inngestBreaker,
    onBatch(report) {
      metrics.batchDone(figuresOf(report));
      minutes.settled(report);
      if (report.scheduled.length > 0) reconciliation.sent();
      parts.onBatch?.(report);
    },
    sweepEveryMs: configuration.RELAY_POLL_INTERVAL_MS,
    batchSize: configuration.RELAY_BATCH_SIZE,
    concurrency: configuration.RELAY_CONCURRENCY,
    maxAttempts: configuration.RELAY_MAX_ATTEMPTS,
    dedupeWindowMs: configuration.RELAY_DEDUPE_WINDOW_HOURS * hourMs,
  });
  metrics.showWork({ slots: () => keeper.count, batches: () => relay.batchesUnderWay });
  const reconciliation = new IndexReconciliation({
    sql: upkeep,
    index,
    indexBreaker,
    logger,
    afterMs: configuration.RELAY_RECONCILE_AFTER_HOURS * hourMs,
    limit: configuration.RELAY_RECONCILE_LIMIT,
    perMinute: configuration.RELAY_RECONCILE_PER_MINUTE,
    // A document is noticed within seconds, an older one within a minute.
    everyMs: parts.confirmEveryMs ?? 3_000,
    idleEveryMs: 25_000,
    wholeEveryMs: 30_000,
    youngestMs: 500,
    onReconciled(done) {
      countReconciled(metrics.meter, done);
      minutes.reconciled(done.sentAnew.length);
    },
  });
  showPause(metrics.meter, reconciliation);
  const dependencies = watchDependencies({ inngest: inngestBreaker, qdrant: indexBreaker });
  let server: Awaited<ReturnType<typeof startServer>> | undefined;
  const serving: Service = {
    name: 'server',
    async start() {
      server = await startServer({
        sql: upkeep,
        inngestBreaker,
        indexBreaker,
        metrics,
        metricsToken: configuration.METRICS_TOKEN,
        logger,
        console: {
          sql: people,
          access: accessSettings(configuration),
          health: dependencies.read,
          workerUrls: configuration.CONSOLE_WORKERS ?? [],
        },
        host: configuration.RELAY_HOST,
        port: configuration.RELAY_PORT,
        allowedHosts: configuration.RELAY_ALLOWED_HOSTS,
      });
    },
    async stop() {
      dependencies.stop();
      await server?.close();
    },
  };
  return {
    keeper,
    poller,
    address: () => server?.listeningOrigin ?? '',
    services: [
      closing('sessions', [rows, upkeep, people]),
      serving,
      briefly(figures),
      briefly(minutes.service(upkeep)),
      listener(
        { url, onLost },
        {
          onRows: () => poller.hint(),
          onSlots: other => {
            if (other !== keeper.id) keeper.hint();
          },
        },
        logger,
      ),
      briefly(retention(upkeep, configuration.RELAY_RETENTION_DAYS * 24 * hourMs, logger)),
      briefly(reconciliation),
      keeper,
      relay,
    ],
  };
}

type Pool = { end(options: { timeout: number }): Promise<void> };

/** Sessions end last. What is under way is waited for a second. */
function closing(name: string, pools: Pool[]): Service {
  return {
    name,
    start: () => undefined,
    async stop() {
      await Promise.all(pools.map(pool => pool.end({ timeout: 1 })));
    },
  };
}

/** Upkeep can be broken off at any point. A statement to a database that is silent would be waited for 5 s. */
function briefly(service: Service): Service {
  return {
    name: service.name,
    start: () => service.start(),
    stop: () => atMost(upkeepStopMs, service.stop()),
  };
}
