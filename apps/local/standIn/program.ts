import { join } from 'node:path';
import { ConfigurationError, readEnvironment } from '@segue/process/environment.ts';
import { run } from '@segue/process/run.ts';
import { startInngest } from '@segue/stand-ins/inngest/server.ts';
import { startQdrant } from '@segue/stand-ins/qdrant/server.ts';
import type { RunningServer } from '@segue/stand-ins/server.ts';
import { observedRateLimit, type RateLimit } from '@segue/stand-ins/tidal/rateLimit.ts';
import { startTidal } from '@segue/stand-ins/tidal/server.ts';
import { createLogger } from '@segue/telemetry/logger.ts';
import { schema } from './configuration.ts';

type Place = { host: string; port: number; folder: string; rateLimit?: RateLimit };
type StandIn = { port: number; start: (place: Place) => Promise<RunningServer>; says: string };

/** By the names and on the ports by which containers ask for them. Any credentials are good but TIDAL's. */
const standIns: Record<string, StandIn> = {
  tidal: {
    port: 4300,
    start: ({ folder: _, ...place }) => startTidal(place),
    says:
      'this is not TIDAL but a stand-in with a small catalogue. For the real one set TIDAL_CLIENT_ID, ' +
      'TIDAL_CLIENT_SECRET, TIDAL_API_URL and TIDAL_AUTH_URL',
  },
  qdrant: {
    port: 6333,
    // Under another name than before there was a worker, whose collection has other vectors.
    start: ({ folder, ...place }) => startQdrant({ ...place, file: join(folder, 'index.jsonl') }),
    says: 'this is not Qdrant but a stand-in: it keeps the points, and searches nothing',
  },
  inngest: {
    port: 8288,
    start: ({ folder, ...place }) => startInngest({ ...place, file: join(folder, 'events.jsonl') }),
    says: 'this is not Inngest but a stand-in: it takes events and runs functions, without throttles',
  },
};

const name = process.argv[2] ?? '';

/** One stand-in as a process of its own, for containers: `node apps/local/standIn/main.ts tidal`. */
await run(name ? `${name}-stand-in` : 'stand-in', async () => {
  const standIn = standIns[name];
  if (!standIn)
    throw new ConfigurationError(`give one of ${Object.keys(standIns).join(', ')} as the argument`);
  const configuration = readEnvironment(schema);
  // Half configured is a mistake, and must not quietly become a stand-in that refuses these credentials.
  if (configuration.TIDAL_CLIENT_ID && !configuration.TIDAL_API_URL) {
    throw new ConfigurationError(
      'TIDAL_CLIENT_ID is set, so the real TIDAL is meant, but TIDAL_API_URL and TIDAL_AUTH_URL still lead here: ' +
        'set all four, or none to get the stand-in',
    );
  }
  const logger = createLogger(`${name}-stand-in`, configuration.LOG_LEVEL);
  const { url, close } = await standIn.start({
    host: configuration.STAND_IN_HOST,
    port: configuration.STAND_IN_PORT ?? standIn.port,
    folder: configuration.STAND_IN_FOLDER,
    ...(configuration.STAND_IN_TIDAL_LIMITS === 'observed' && { rateLimit: observedRateLimit }),
  });
  logger.warn({ event: 'stand_in', address: url }, standIn.says);
  return { logger, stop: close };
});
