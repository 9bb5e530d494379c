import { startQdrant } from '@segue/stand-ins/qdrant/server.ts';
import { onTestFinished } from 'vitest';
import { connectToIndex } from '../connect.ts';

/** An empty stand-in for Qdrant, and a connection to its collection `tracks`, until the test ends. */
export async function startIndex() {
  const server = await startQdrant();
  onTestFinished(() => server.close());
  const connection = connectToIndex({ url: server.url, collection: 'tracks', timeoutMs: 60_000 });
  return { ...server, connection };
}
