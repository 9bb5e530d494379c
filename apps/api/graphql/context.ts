import type { FastifyRequest } from 'fastify';
import type { Database } from '../database.ts';
import { createStatusLookup, type StatusLookup } from '../ingestion/status.ts';
import { userOf } from '../user.ts';

declare module 'mercurius' {
  interface MercuriusContext extends RequestContext {}
}

/** What resolvers know of the request that they answer. */
export type RequestContext = {
  userId: string;
  statusOf: StatusLookup;
};

export function createContext(request: FastifyRequest, database: Database): RequestContext {
  return { userId: userOf(request), statusOf: createStatusLookup(database) };
}
