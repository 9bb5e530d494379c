import { httpUrl, readEnvironment } from '@segue/process/environment.ts';
import { type Connection, connectToIndex } from '@segue/track-index/connect.ts';
import { z } from 'zod';
import { Failure } from '../exitCode.ts';

export const schema = z.object({
  QDRANT_URL: httpUrl.optional(),
  QDRANT_API_KEY: z.string().optional(),
  QDRANT_COLLECTION: z.string().default('tracks'),
});

/** A page of a thousand ids takes milliseconds; nobody waits behind it. */
const indexTimeoutMs = 10_000;

/** Where the index is, by the environment. @throws ConfigurationError for an unusable variable */
export function readIndexVariables(environment: NodeJS.ProcessEnv): {
  url: string | undefined;
  apiKey: string | undefined;
  collection: string;
} {
  const {
    QDRANT_URL: url,
    QDRANT_API_KEY: apiKey,
    QDRANT_COLLECTION: collection,
  } = readEnvironment(schema, environment);
  return { url, apiKey, collection };
}

/**
 * The index of QDRANT_URL; no request is made yet.
 *
 * @throws ConfigurationError for an unusable variable; Failure when QDRANT_URL is not set
 */
export function findIndex(environment: NodeJS.ProcessEnv): Connection {
  const { url, apiKey, collection } = readIndexVariables(environment);
  if (url === undefined) {
    throw new Failure('no index to compare with: set QDRANT_URL, as it is set for the relay');
  }
  return connectToIndex({ url, apiKey, collection, timeoutMs: indexTimeoutMs });
}
