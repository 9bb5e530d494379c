import type { Pause, Reconciliation } from '@segue/outbox/reconcile.ts';
import type { Meter } from '@segue/telemetry/metrics/meter.ts';

/** Counts what a reconciliation has done. */
export function countReconciled(meter: Meter<'relay'>, { sentAnew, neverIndexed }: Reconciliation): void {
  meter.add('segue_relay_reconciled_total', { outcome: 'sent_anew' }, sentAnew.length);
  meter.add('segue_relay_reconciled_total', { outcome: 'never_indexed' }, neverIndexed.length);
}

/** Shows why nothing is sent anew. */
export function showPause(meter: Meter<'relay'>, reconciliation: { readonly paused: Pause | null }): void {
  for (const cause of ['index_unavailable', 'index_wiped', 'worker_behind'] as const) {
    meter.read('segue_relay_reconciliation_paused', { cause }, () =>
      Number(reconciliation.paused?.cause === cause),
    );
  }
}
