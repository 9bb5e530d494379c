import type { Logger } from '@segue/process/logger.ts';
import { reasonOf } from '@segue/process/reason.ts';
import { TidalApiError } from '@segue/tidal/error.ts';

export type CatalogAnswer<Item> =
  | { outcome: 'found'; item: Item }
  | { outcome: 'not_found' }
  | { outcome: 'tidal_unavailable'; retryable: boolean };

/** Makes one of three answers of what a call to TIDAL returns or throws. Details of a failure are logged. */
export async function askCatalog<Item>(
  call: Promise<Item | null>,
  logger: Logger,
): Promise<CatalogAnswer<Item>> {
  try {
    const item = await call;
    return item === null ? { outcome: 'not_found' } : { outcome: 'found', item };
  } catch (error) {
    if (!(error instanceof TidalApiError)) throw error;
    logger.warn({ error: reasonOf(error), status: error.status, retryable: error.retryable }, 'TIDAL failed');
    return { outcome: 'tidal_unavailable', retryable: error.retryable };
  }
}
