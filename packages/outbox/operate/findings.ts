import type { Queryable } from '@segue/database/connection.ts';
import { type Backlog, readBacklog } from './backlog.ts';
import { type PausedReconciliation, readPausedReconciliation } from './reconciliation.ts';
import {
  isAlive,
  type KnownRelay,
  type OrphanedSlots,
  readOrphanedSlots,
  readRelays,
  silentSeconds,
} from './relays.ts';
import { readSending, type Sending } from './sending.ts';

/** Something that a person should know of, the same at the command line and in the console. */
export type OperatorFinding = {
  kind: 'paused' | 'stalled' | 'no_relay' | 'held_back' | 'stuck_slots' | 'dead' | 'reconciliation_paused';
  /** `failure`: nothing is sent, or not all. */
  severity: 'warning' | 'failure';
  /** One line: what is, with the figure. */
  summary: string;
  /** What mends it. */
  remedy: string;
};

/** How the outbox stands, and what is wrong with it. */
export type Overview = {
  backlog: Backlog;
  sending: Sending;
  relays: KnownRelay[];
  slots: OrphanedSlots;
  /** Why what is missing in the index is not sent anew (rule R12); null: all is well. */
  reconciliation: PausedReconciliation | null;
  findings: OperatorFinding[];
};

/** R1 promises 5 s; a minute is no accident. */
const stalledSeconds = 60;

export async function readOverview(db: Queryable): Promise<Overview> {
  const [backlog, sending, relays, slots, reconciliation] = await Promise.all([
    readBacklog(db),
    readSending(db),
    readRelays(db),
    readOrphanedSlots(db),
    readPausedReconciliation(db),
  ]);
  const state = { backlog, sending, relays, slots };
  return { ...state, reconciliation, findings: [...findingsOf(state), ...ofReconciliation(reconciliation)] };
}

export function findingsOf({
  backlog,
  sending,
  relays,
  slots,
}: Omit<Overview, 'findings' | 'reconciliation'>): OperatorFinding[] {
  const findings: OperatorFinding[] = [];
  const alive = relays.filter(isAlive);
  if (sending.paused) {
    const { at, by, reason } = sending.paused;
    findings.push({
      kind: 'paused',
      severity: 'failure',
      summary: `sending is paused since ${at.toISOString()} by ${by ?? 'somebody'}: ${reason ?? 'no reason given'}`,
      remedy: 'outbox resume --reason "…"',
    });
  }
  if (alive.length === 0) {
    findings.push({
      kind: 'no_relay',
      severity: 'failure',
      summary: `no relay has given a sign of life for ${silentSeconds} s: nothing is sent`,
      remedy: 'start one (`npm run relay`), or look into the log of the one that ended',
    });
  } else if (alive.every(relay => relay.state === 'held_back')) {
    findings.push({
      kind: 'held_back',
      severity: 'failure',
      summary: 'no relay can reach Inngest: requests wait, and none is lost',
      remedy: 'outbox doctor --only inngest; docs/runbook/inngest-down.md',
    });
  }
  if (slots.stuck > 0) {
    findings.push({
      kind: 'stuck_slots',
      severity: 'failure',
      summary: `${slots.stuck} of 32 slots are held by a relay that is gone: their requests wait`,
      remedy: 'outbox release-stuck --reason "…"',
    });
  }
  const due = backlog.oldestDueSeconds;
  if (due !== null && due > stalledSeconds && !sending.paused) {
    findings.push({
      kind: 'stalled',
      severity: 'failure',
      summary: `the oldest request that could be sent waits for ${Math.round(due)} s (${backlog.open} are open)`,
      remedy: 'outbox doctor; docs/runbook/README.md',
    });
  }
  if (backlog.dead > 0) {
    findings.push({
      kind: 'dead',
      severity: 'warning',
      summary: `${backlog.dead} requests are dead, ${backlog.diedLastHour} of them died within the last hour`,
      remedy: 'outbox list --status dead; then requeue or discard them (docs/runbook/poison-event.md)',
    });
  }
  return findings;
}

const remedies: Record<string, string> = {
  index_unavailable: 'see whether Qdrant answers, and the key',
  index_wiped: 'outbox reindex --reason "…" (docs/runbook/qdrant-lost.md)',
  worker_behind: 'docs/runbook/worker-down.md',
};

function ofReconciliation(paused: PausedReconciliation | null): OperatorFinding[] {
  if (paused === null) return [];
  const summary = `reconciliation paused since ${paused.at.toISOString()}: ${paused.reason}`;
  const remedy = remedies[paused.cause] ?? 'docs/runbook/README.md';
  return [{ kind: 'reconciliation_paused', severity: 'warning', summary, remedy }];
}
