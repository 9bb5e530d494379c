import { showPoolUse } from '@segue/database/poolUse.ts';
import { createMeter, type Meter } from '@segue/telemetry/metrics/meter.ts';
import type { Database } from '../database.ts';

export type ApiMetrics = {
  meter: Meter<'api'>;
  /** Who asks for `/metrics` has to send it. Null: `/metrics` is not there. Undefined: anyone may ask. */
  token: string | undefined | null;
};

/**
 * The API's figures. Strangers reach the API, where a relay or a worker is reached by us alone: without METRICS_TOKEN the
 * figures are for one local user, and are not shown where users have tokens.
 */
export function createMetrics(token: string | undefined, usersHaveTokens: boolean): ApiMetrics {
  return { meter: createMeter('api'), token: token ?? (usersHaveTokens ? null : undefined) };
}

export function showDatabase({ meter }: ApiMetrics, { sql }: Database): void {
  showPoolUse(meter, 'api', sql);
}
