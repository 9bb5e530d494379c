import { openDatabase } from '@segue/api/database.ts';
import { createServer, localServer } from '@segue/api/http/server.ts';
import { IngestionHint } from '@segue/api/ingestion/hint.ts';
import {
  IngestionScheduler,
  type Stored,
  type TrackSchedulingResult,
} from '@segue/api/ingestion/ingestionScheduler.ts';
import { createMetrics } from '@segue/api/metrics/metrics.ts';
import { listen } from '@segue/http/listen.ts';
import { eventId, ingestionRequested } from '@segue/ingestion/event.ts';
import type { Isrc } from '@segue/ingestion/isrc.ts';
import { hint } from '@segue/outbox/hint.ts';
import { createEventSender } from '@segue/relay/inngest/eventSender.ts';
import { createLogger } from '@segue/telemetry/logger.ts';
import { createTidalClient } from '@segue/tidal/client.ts';
import { createTrackIndex } from '@segue/track-index/trackIndex.ts';
import type { PendingQuery, Row } from 'postgres';
import type { ApiAnswer } from './api.ts';
import type { Scheduling } from './scheduling.ts';

/** The process behind `api.ts`: the API composed as in `apps/api/main.ts`, but for how it schedules. */
const { DATABASE_URL = '', SINK_URL = '' } = process.env;
const scheduling = process.env.SCHEDULING as Scheduling;
const callTimeoutMs = 5_000;

/** Stores the item, requests nothing and says nothing. */
class NoScheduler extends IngestionScheduler {
  override async scheduleTrack<Item extends Row>(
    _db: unknown,
    _request: unknown,
    storing: PendingQuery<Item[]>,
  ): Promise<Stored<Item, TrackSchedulingResult>> {
    const [item] = await storing;
    const scheduling = { result: 'skipped', trackTitle: '', isrc: null, reason: 'missing_isrc' } as const;
    return { item: item as Item, scheduling };
  }
  override announce(): void {}
}

const logger = createLogger('api', 'info');
const catalog = createTidalClient({
  apiUrl: `${SINK_URL}/v2`,
  authUrl: `${SINK_URL}/token`,
  clientId: 'bench',
  clientSecret: 'bench',
  countryCode: 'US',
});
const database = await openDatabase({ url: DATABASE_URL });
const ingestionHint = new IngestionHint(() => hint(database.sql), logger);
const Scheduler = scheduling === 'outbox' ? IngestionScheduler : NoScheduler;
const scheduler = new Scheduler({ hint: ingestionHint, logger });
const server = await createServer(
  { database, catalog, scheduler, logger },
  { ...localServer, metrics: createMetrics(undefined, false) },
);
if (scheduling === 'in the request') scheduleInTheRequest(server);
const address = await listen(server, { variables: 'API', host: '127.0.0.1', port: 0 });

process.on('disconnect', async () => {
  await server.close();
  await ingestionHint.flush();
  await database.sql.end({ timeout: 2 });
  process.exit();
});
process.send?.({ url: `${address}/graphql` } satisfies ApiAnswer);

type Added = { addTrackToLibrary: { isrc: Isrc; title: string; artistName: string; albumName: string } };

/** Between the track's commit and the answer, with the relay's own clients. */
function scheduleInTheRequest({ graphql }: typeof server): void {
  const index = createTrackIndex({ url: SINK_URL, collection: 'tracks', timeoutMs: callTimeoutMs });
  const send = createEventSender();
  const signal = new AbortController().signal;
  graphql.addHook('onResolution', async execution => {
    const { isrc, title, artistName, albumName } = (execution.data as Added).addTrackToLibrary;
    const exists = await index.checkTracksExist([isrc]);
    if (exists.get(isrc)) return;
    const data = { isrc, title, artist: artistName, album: albumName, priority: 0, force: false };
    const event = { id: eventId(isrc, 1), name: ingestionRequested, ts: Date.now(), data } as const;
    await send([event], { timeoutMs: callTimeoutMs, signal });
  });
}
