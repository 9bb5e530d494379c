import { InngestTestEngine } from '@inngest/test';
import { ingestionRequested } from '@segue/ingestion/event.ts';
import { startQdrant } from '@segue/stand-ins/qdrant/server.ts';
import { createMeter } from '@segue/telemetry/metrics/meter.ts';
import { ensureCollection } from '@segue/track-index/collection.ts';
import { connectToIndex } from '@segue/track-index/connect.ts';
import { onTestFinished } from 'vitest';
import type { Embedder } from '../embedding/embedder.ts';
import { hashedEmbedder } from '../embedding/hashed.ts';
import { createInngestClient } from '../inngestClient.ts';
import { createTrackIngestion, type TrackIngestionOptions } from '../trackIngestion.ts';
import { memoryLogger } from './memoryLogger.ts';

export const recording = {
  isrc: 'USSM15900113',
  title: 'So What',
  artist: 'Miles Davis',
  album: 'Kind of Blue',
  artworkUrl: 'https://example.com/cover.jpg',
  priority: 0,
  force: false,
};

/** The steps that are mocked, with what they give; undefined for one that is not to be. */
export type Mocks = Record<string, (() => unknown) | undefined>;

/** The function with an index of its own, run by Inngest's test engine: each run is one attempt. */
export async function startFunction(given: Partial<TrackIngestionOptions> & { embedder?: Embedder } = {}) {
  const qdrant = await startQdrant();
  onTestFinished(() => qdrant.close());
  const connection = connectToIndex({ url: qdrant.url, collection: 'tracks', timeoutMs: 10_000 });
  await ensureCollection(connection);
  const { logger, lines } = memoryLogger();
  const meter = createMeter('worker');
  const options: TrackIngestionOptions = {
    client: createInngestClient(logger, true),
    connection,
    embedder: hashedEmbedder,
    logger,
    meter,
    retries: 5,
    concurrency: 10,
    throttlePerMinute: 10,
    ...given,
  };
  const trackIngestion = createTrackIngestion(options);

  async function run(data: unknown = recording, mocks: Mocks = {}) {
    const steps: Mocks = { 'emit-completion': () => ({ ids: ['sent'] }), ...mocks };
    const engine = new InngestTestEngine({
      function: trackIngestion,
      events: [{ id: 'track-ingestion:USSM15900113:1', name: ingestionRequested, data: data as object }],
      steps: Object.entries(steps).flatMap(([id, handler]) => (handler ? { id, handler } : [])),
    });
    const { result, error, ctx } = await engine.execute();
    const sent = ctx.step.sendEvent.mock.calls.map(([, event]) => event);
    return { result: result as Record<string, unknown> | undefined, error: error as Error | undefined, sent };
  }
  return { qdrant, connection, lines, meter, run, trackIngestion };
}
