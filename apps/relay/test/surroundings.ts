import type { Sql } from '@segue/database/connection.ts';
import { ingestionRequested } from '@segue/ingestion/event.ts';
import { hashIsrcToUuid } from '@segue/ingestion/pointId.ts';
import { type InngestStandIn, startInngest } from '@segue/stand-ins/inngest/server.ts';
import { type QdrantStandIn, startQdrant } from '@segue/stand-ins/qdrant/server.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { ensureCollection } from '@segue/track-index/collection.ts';
import { connectToIndex } from '@segue/track-index/connect.ts';
import { afterEach, beforeEach } from 'vitest';

export const collection = 'tracks';

/** An index with a collection, and a way to put recordings into it. */
export type Index = QdrantStandIn & { add(...isrcs: string[]): Promise<void> };

/** What relays work on, made anew for each test of the file: an empty database, an index and an Inngest. */
export function useSurroundings() {
  const database = useDatabase();
  let inngest: InngestStandIn;
  let qdrant: Index;

  beforeEach(async () => {
    await database.sql`TRUNCATE ingestion_outbox, ingestion_ledger, album_ingestion_batches`;
    inngest = await startInngest();
    qdrant = await startIndex();
  });
  afterEach(async () => {
    await Promise.all([inngest.close(), qdrant.close()]);
  });

  return {
    get sql(): Sql {
      return database.sql;
    },
    get url() {
      return database.url;
    },
    get inngest() {
      return inngest;
    },
    /** What arrived at Inngest and asks for a recording; canaries do not. */
    requestedEvents: () => inngest.events().filter(({ name }) => name === ingestionRequested),
    get qdrant() {
      return qdrant;
    },
  };
}

async function startIndex(): Promise<Index> {
  const server = await startQdrant();
  const connection = connectToIndex({ url: server.url, collection, timeoutMs: 10_000 });
  await ensureCollection(connection);
  return {
    ...server,
    async add(...isrcs) {
      const points = isrcs.map(isrc => ({ id: hashIsrcToUuid(isrc), vector: {} }));
      await connection.call(client => client.upsert(collection, { points }));
    },
  };
}
