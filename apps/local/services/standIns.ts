import { startInngest } from '@segue/stand-ins/inngest/server.ts';
import { startQdrant } from '@segue/stand-ins/qdrant/server.ts';
import { startTidal } from '@segue/stand-ins/tidal/server.ts';
import type { DataFolder } from '../dataFolder.ts';
import { onPort } from './ports.ts';
import type { Service } from './services.ts';

/** Those of the services themselves, so that their own tools find the stand-ins, too. */
export const qdrantPort = 6333;
export const inngestPort = 8288;

/** Starts the catalogue. It has nothing to remember, and any port will do. */
export async function standInForTidal(stack: AsyncDisposableStack): Promise<Service> {
  const tidal = await startTidal();
  stack.defer(tidal.close);
  return {
    name: 'TIDAL',
    kind: 'stand-in',
    address: tidal.apiUrl,
    environment: {
      TIDAL_API_URL: tidal.apiUrl,
      TIDAL_AUTH_URL: tidal.authUrl,
      TIDAL_CLIENT_ID: tidal.clientId,
      TIDAL_CLIENT_SECRET: tidal.clientSecret,
    },
  };
}

/** Starts the index, empty at first: the worker makes the collection. */
export async function standInForQdrant(stack: AsyncDisposableStack, folder: DataFolder): Promise<Service> {
  const qdrant = await onPort(qdrantPort, port => startQdrant({ port, file: folder.qdrant }));
  stack.defer(qdrant.close);
  return {
    name: 'Qdrant',
    kind: 'stand-in',
    address: qdrant.url,
    environment: { QDRANT_URL: qdrant.url },
    ...ifMoved(qdrant.url, qdrantPort),
  };
}

export async function standInForInngest(stack: AsyncDisposableStack, folder: DataFolder): Promise<Service> {
  const inngest = await onPort(inngestPort, port => startInngest({ port, file: folder.inngest }));
  stack.defer(inngest.close);
  return {
    name: 'Inngest',
    kind: 'stand-in',
    address: inngest.url,
    // The stand-in knows no throttle, and the worker is told of none.
    environment: { INNGEST_BASE_URL: inngest.url, INNGEST_DEV: '1', WORKER_THROTTLE_PER_MINUTE: '0' },
    ...ifMoved(inngest.url, inngestPort),
  };
}

function ifMoved(url: string, wished: number): Pick<Service, 'takenPort'> {
  return Number(new URL(url).port) === wished ? {} : { takenPort: wished };
}
