import { AsyncLocalStorage } from 'node:async_hooks';
import { noOrigin, type RequestOrigin } from '@segue/ingestion/origin.ts';

const origins = new AsyncLocalStorage<RequestOrigin>();

/** Runs work that a request has caused: its log lines carry the request's id, and so do the outbox rows that it writes. */
export function causedBy<Result>(origin: RequestOrigin, work: () => Result): Result {
  return origins.run(origin, work);
}

/** The request that caused what is running now. */
export function currentOrigin(): RequestOrigin {
  return origins.getStore() ?? noOrigin;
}

/** The fields of the log that name it, always in a new object. */
export function originFields(): { requestId?: string } {
  const { requestId } = currentOrigin();
  return requestId === null ? {} : { requestId };
}
