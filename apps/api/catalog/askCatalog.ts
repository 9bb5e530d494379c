import { reasonOf } from '@segue/process/reason.ts';
import { within } from '@segue/process/timeLimit.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import { TidalApiError } from '@segue/tidal/http/error.ts';

export type CatalogAnswer<Item> =
  | { outcome: 'found'; item: Item }
  | { outcome: 'not_found' }
  | TidalUnavailable;

export type TidalUnavailable = {
  outcome: 'tidal_unavailable';
  retryable: boolean;
  /** Set when our own queue for TIDAL was longer than the time: TIDAL was not asked. */
  unasked?: true;
};

/** A call ends at its deadline by itself, and says why. */
const graceMs = 200;

/**
 * Makes one of three answers of what a call to TIDAL returns or throws. Details of a failure are logged.
 *
 * @param endsAt on `performance.now()`: until then the request can wait for TIDAL, and no later
 */
export async function askCatalog<Item>(
  call: () => Promise<Item | null>,
  { logger, endsAt }: { logger: Logger; endsAt: number },
): Promise<CatalogAnswer<Item>> {
  try {
    const leftMs = endsAt - performance.now();
    if (leftMs <= 0) throw noTimeLeft();
    const item = await within(leftMs + graceMs, call(), noTimeLeft);
    return item === null ? { outcome: 'not_found' } : { outcome: 'found', item };
  } catch (error) {
    if (!(error instanceof TidalApiError)) throw error;
    logger.warn(
      { event: 'tidal_error', error: reasonOf(error), status: error.status, retryable: error.retryable },
      error.unasked ? 'our own queue for TIDAL was longer than the time of the request' : 'TIDAL failed',
    );
    const { retryable, unasked } = error;
    return { outcome: 'tidal_unavailable', retryable, ...(unasked && { unasked }) };
  }
}

function noTimeLeft(): TidalApiError {
  const message = 'the time of the request was up before TIDAL had answered';
  return new TidalApiError(message, { retryable: true, status: null });
}
