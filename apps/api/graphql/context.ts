import type { FastifyRequest } from 'fastify';
import type { Database } from '../database.ts';
import { type RequestTime, requestTime, within } from '../http/deadline.ts';
import type { OutageGuard } from '../http/outageGuard.ts';
import { userOf } from '../http/user.ts';
import { createStatusLookup, readLedger, type StatusLookup } from '../ingestion/status.ts';

declare module 'mercurius' {
  interface MercuriusContext extends RequestContext {}
}

/** What resolvers know of the request that they answer. */
export type RequestContext = {
  readonly userId: string;
  time: RequestTime;
  statusOf: StatusLookup;
};

export function createContext(
  request: FastifyRequest,
  { database, guard, requestTimeoutMs }: { database: Database; guard: OutageGuard; requestTimeoutMs: number },
): RequestContext {
  const time = requestTime(requestTimeoutMs);
  return {
    // Asked for when it is needed: a context is made as well for a request that failed before it had a user.
    get userId() {
      return userOf(request);
    },
    time,
    statusOf: createStatusLookup(isrcs => guard.run(() => within(time, readLedger(database, isrcs)))),
  };
}
