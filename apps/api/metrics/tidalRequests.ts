import type { Meter } from '@segue/telemetry/metrics/meter.ts';
import type { ObservedRequest } from '@segue/tidal/http/observation.ts';

/** Counts requests to TIDAL, and what they waited for and took. */
export function countTidalRequests(meter: Meter<'api'>): (request: ObservedRequest) => void {
  return ({ urgency, outcome, waitedMs, tookMs }) => {
    meter.add('segue_tidal_requests_total', { outcome });
    meter.observe('segue_tidal_wait_seconds', { urgency }, waitedMs / 1_000);
    if (tookMs !== null) meter.observe('segue_tidal_request_seconds', {}, tookMs / 1_000);
  };
}
