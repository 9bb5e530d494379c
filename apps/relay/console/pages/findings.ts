import { findingsOf } from '@segue/outbox/operate/findings.ts';
import { lookedAt } from '@segue/outbox/operate/glance.ts';
import type { Snapshot } from '../live/watch.ts';
import { boundedCount, count, duration, plural } from './words.ts';

/** Something that a person should know of, with the page that helps. */
export type ConsoleFinding = {
  severity: 'failure' | 'warning';
  /** One line: what is. */
  summary: string;
  /** What it means, or what to do. */
  advice: string;
  link?: { to: string; label: string };
};

/** What needs a person, the worst first. */
export function consoleFindings(snapshot: Snapshot): ConsoleFinding[] {
  const { glance, failure } = snapshot;
  const findings: ConsoleFinding[] = [];
  if (failure !== null) {
    findings.push({
      severity: 'failure',
      summary: `The database does not answer: ${failure}`,
      advice: 'Nothing can be added or sent until it does. No request is lost by it.',
    });
  }
  for (const { name, state, summary, since } of snapshot.dependencies) {
    if (state === 'ok' || name === 'PostgreSQL') continue;
    const length = since === null ? '' : ` for ${duration((snapshot.readAt - since.getTime()) / 1_000)}`;
    findings.push({
      severity: state === 'unavailable' ? 'failure' : 'warning',
      summary: `${name} has not answered this relay${length}`,
      advice: `It ${summary}. The relay holds back, tries from time to time, and goes on by itself.`,
    });
  }
  for (const { address, ready, summary } of snapshot.workers ?? []) {
    if (ready) continue;
    findings.push({
      severity: 'failure',
      summary: `The worker at ${address} is not ready`,
      advice: `${summary}. What is sent meanwhile waits at Inngest.`,
    });
  }
  if (glance !== null) findings.push(...ofOutbox(glance, findings.length > 0));
  if (snapshot.reconciliation !== null) {
    const { at, reason } = snapshot.reconciliation;
    findings.push({
      severity: 'warning',
      summary: `What is missing in the index has not been sent anew for ${duration((snapshot.readAt - at.getTime()) / 1_000)}`,
      advice: `${short(reason)}. Additions are sent all the same.`,
    });
  }
  return [
    ...findings.filter(({ severity }) => severity === 'failure'),
    ...findings.filter(({ severity }) => severity === 'warning'),
  ];
}

function ofOutbox(glance: NonNullable<Snapshot['glance']>, explained: boolean): ConsoleFinding[] {
  const { open, dead, owed, sending, relays, slots } = glance;
  const findings: ConsoleFinding[] = [];
  const known = findingsOf({
    backlog: {
      open: open.count,
      waiting: open.later,
      oldestSeconds: open.oldestSeconds,
      oldestDueSeconds: open.oldestDueSeconds,
      dead: dead.count,
      diedLastHour: dead.lastHour,
    },
    sending,
    relays,
    slots,
  });
  for (const { kind, severity } of known) {
    switch (kind) {
      case 'no_relay':
        findings.push({
          severity,
          summary: 'No relay is alive: nothing is sent',
          advice:
            'None has given a sign of life for 30 s. Start one, or look into the log of the one that ended.',
        });
        break;
      case 'held_back':
        if (!explained) {
          findings.push({
            severity,
            summary: 'No relay can reach Inngest',
            advice: 'Requests wait, and none is lost. The relays go on by themselves once Inngest answers.',
          });
        }
        break;
      case 'stuck_slots':
        findings.push({
          severity,
          summary: `${plural(slots.stuck, 'slot')} of 32 held by a relay that is gone`,
          advice: 'Their requests wait. Free them: npm run outbox -- release-stuck --reason "…"',
        });
        break;
      case 'stalled':
        findings.push({
          severity,
          summary: `${boundedCount(open)} requests wait, the oldest that could be sent for ${duration(open.oldestDueSeconds ?? 0)}`,
          advice: 'An addition is sent within 5 s as long as nothing holds it up. None is lost meanwhile.',
          link: { to: '/console/requests?status=pending&order=oldest', label: 'See the oldest' },
        });
        break;
      case 'dead': {
        const [first] = dead.reasons;
        const most = first === undefined ? '' : `${count(first.count)} with “${short(first.reason)}”. `;
        findings.push({
          severity,
          summary: `${boundedCount(dead)} dead ${dead.count === 1 ? 'request' : 'requests'}${
            dead.lastHour > 0 ? `, ${count(dead.lastHour)} in the last hour` : ''
          }`,
          advice: `${most}Nothing sends them by itself any more: requeue them once the cause is gone, or discard them.`,
          link: { to: '/console/requests?status=dead', label: 'See them' },
        });
        break;
      }
      // The line at the top of each page says it.
      case 'paused':
        break;
    }
  }
  if (open.refused > 0) {
    findings.push({
      severity: 'warning',
      summary: `Inngest refuses ${plural(open.refused, 'request')}${open.count > lookedAt ? ` of the oldest ${count(lookedAt)}` : ''}`,
      advice:
        'Each is tried again, and set aside as dead after RELAY_MAX_ATTEMPTS refusals. All others are sent.',
      link: { to: '/console/requests?status=pending&attempts=1&order=oldest', label: 'See them' },
    });
  }
  if (owed.count > 0) {
    const failing =
      owed.failingSince === null
        ? ''
        : ` TIDAL has failed for ${duration((glance.at.getTime() - owed.failingSince.getTime()) / 1_000)}.`;
    const [oldest] = owed.items;
    findings.push({
      severity: 'warning',
      summary: `${boundedCount(owed)} ${owed.count === 1 ? `${oldest?.kind ?? 'item'} waits` : 'items wait'} for TIDAL, ${plural(owed.tracks, 'track')} in all`,
      advice: `${oldest ? `The oldest is “${short(oldest.title)}” by ${short(oldest.artist)}.` : ''}${failing} The API completes them by itself.`,
      link: { to: '/console/albums#owed', label: 'See them' },
    });
  }
  return findings;
}

function short(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79).toWellFormed()}…` : text;
}
