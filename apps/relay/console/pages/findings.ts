import { longestAlone } from '@segue/outbox/operate/cut.ts';
import { findingsOf } from '@segue/outbox/operate/findings.ts';
import { type Glance, lookedAt } from '@segue/outbox/operate/glance.ts';
import { isAlive } from '@segue/outbox/operate/relays.ts';
import type { Snapshot } from '../live/watch.ts';
import { isolated, isolatedText } from './isolated.ts';
import { html, type Markup } from './markup.ts';
import { boundedCount, count, duration, plural } from './words.ts';

/** Characters of a text from outside: a finding is one sentence. */
const longest = 80;

/** Something that a person should know of, with the page that helps. */
export type ConsoleFinding = {
  severity: 'failure' | 'warning';
  /** One line: what is. */
  summary: string;
  /** What it means, or what to do. */
  advice: Markup | string;
  link?: { to: string; label: string };
};

/** What needs a person, the worst first. */
export function consoleFindings(snapshot: Snapshot): ConsoleFinding[] {
  const { glance, failure } = snapshot;
  const findings: ConsoleFinding[] = [];
  if (failure !== null) {
    findings.push({
      severity: 'failure',
      summary: `The database does not answer: ${isolatedText(failure, longestAlone)}`,
      advice: 'Nothing can be added or sent until it does. No request is lost by it.',
    });
  }
  const inngest = ofInngest(snapshot);
  if (inngest !== null) findings.push(inngest);
  for (const { name, state, summary, since } of snapshot.dependencies) {
    if (state === 'ok' || name === 'PostgreSQL' || name === 'Inngest') continue;
    findings.push({
      severity: state === 'unavailable' ? 'failure' : 'warning',
      summary: `${name} has not answered this relay${forTime(since, snapshot.readAt)}`,
      advice: `It ${summary}. The relay holds back, tries from time to time, and goes on by itself.`,
    });
  }
  for (const { address, ready, summary } of snapshot.workers ?? []) {
    if (ready) continue;
    findings.push({
      severity: 'failure',
      summary: `The worker at ${isolatedText(address)} is not ready`,
      advice: `${isolatedText(summary, longestAlone)}. What is sent meanwhile waits at Inngest.`,
    });
  }
  if (glance !== null) findings.push(...ofOutbox(glance, inngest !== null));
  if (snapshot.reconciliation !== null) {
    const { at, reason } = snapshot.reconciliation;
    findings.push({
      severity: 'warning',
      summary: `What is missing in the index has not been sent anew for ${duration((snapshot.readAt - at.getTime()) / 1_000)}`,
      advice: `${isolatedText(reason, longest)}. Additions are sent all the same.`,
    });
  }
  return [
    ...findings.filter(({ severity }) => severity === 'failure'),
    ...findings.filter(({ severity }) => severity === 'warning'),
  ];
}

/** An Inngest that takes no events, from this relay or from any; other relays say so in the database. */
function ofInngest({ dependencies, glance, readAt }: Snapshot): ConsoleFinding | null {
  const own = dependencies.find(({ name, state }) => name === 'Inngest' && state !== 'ok');
  const alive = (glance?.relays ?? []).filter(isAlive);
  const held = alive.filter(({ state }) => state === 'held_back');
  if (own === undefined && (alive.length === 0 || held.length < alive.length)) return null;
  const hosts =
    held.length > 0 && held.length <= 3
      ? `: ${held.map(({ host }) => isolatedText(host, longest)).join(', ')}`
      : '';
  const who =
    held.length === 0
      ? 'This relay waits for it'
      : `${count(held.length)} of ${plural(alive.length, 'relay')} ${held.length === 1 ? 'waits' : 'wait'} for it${hosts}`;
  return {
    severity: own?.state === 'degraded' ? 'warning' : 'failure',
    summary: `Inngest has taken no events${forTime(own?.since ?? null, readAt)}`,
    advice: html`${who}. No request is lost; restart nothing. <code>npm run outbox -- doctor</code> says why.`,
    link: { to: '#services', label: 'See the services' },
  };
}

function ofOutbox(glance: Glance, inngestIsAway: boolean): ConsoleFinding[] {
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
          summary: `${requestsWait(open)} to be sent, the oldest for ${duration(open.oldestDueSeconds ?? 0)}`,
          advice: inngestIsAway
            ? 'They wait for Inngest, and are sent once it takes events again.'
            : html`A request is sent within 5 s as long as nothing holds it up. <code>npm run outbox -- doctor</code> says what does.`,
          link: { to: '/console/requests?status=pending&order=oldest', label: 'See the oldest' },
        });
        break;
      case 'dead':
        findings.push({ severity, ...ofDead(glance) });
        break;
      // Told above, or by the line at the top of each page.
      case 'held_back':
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
  if (owed.count > 0) findings.push(ofOwed(glance));
  return findings;
}

function requestsWait(open: Glance['open']): string {
  return `${open.isEstimate ? 'About ' : ''}${count(open.count)} ${open.count === 1 ? 'request waits' : 'requests wait'}`;
}

function ofDead({ dead, at }: Glance): Omit<ConsoleFinding, 'severity'> {
  const { newest, reasons } = dead;
  const [one] = newest;
  const [first] = reasons;
  if (dead.count === 1 && one !== undefined) {
    const refused = first
      ? `Refused ${duration(secondsSince(first.lastAt, at))} ago with “${isolatedText(first.reason, longest)}”. `
      : '';
    return {
      summary: `1 dead request: “${isolatedText(one.title, longest)}”, ${one.isrc}`,
      advice: `${refused}Nothing sends it by itself any more: requeue it once the cause is gone, or discard it.`,
      link: { to: addressOf(one), label: 'See it' },
    };
  }
  const names = newest.map(
    (each, at) =>
      html`${at > 0 ? ', ' : ''}<a href="${addressOf(each)}">“${isolated(each.title, longest)}”</a>, ${each.isrc}`,
  );
  const most =
    first === undefined ? '' : `${count(first.count)} with “${isolatedText(first.reason, longest)}”`;
  return {
    summary: `${boundedCount(dead)} dead requests${dead.lastHour > 0 ? `, ${count(dead.lastHour)} in the last hour` : ''}`,
    advice: html`${dead.count <= newest.length ? names : most}. Nothing sends them by itself any more: requeue them once the cause is gone, or discard them.`,
    link: { to: '/console/requests?status=dead', label: 'See them' },
  };
}

function ofOwed({ owed, at }: Glance): ConsoleFinding {
  const [oldest] = owed.items;
  const error = owed.items.find(({ failingSince }) => failingSince !== null)?.lastError ?? null;
  const isOne = owed.count === 1 && oldest !== undefined;
  const name = oldest
    ? `“${isolatedText(oldest.title, longest)}” by ${isolatedText(oldest.artist, longest)}`
    : '';
  const length = oldest ? duration(secondsSince(oldest.owedSince, at)) : '';
  const failing =
    owed.failingSince === null
      ? ''
      : ` TIDAL has failed for ${duration(secondsSince(owed.failingSince, at))}${
          isOne ? ` (${plural(oldest.attempts, 'attempt')})` : ''
        }${error === null ? '' : `: ${isolatedText(error, longest)}`}.`;
  return {
    severity: 'warning',
    summary: `${boundedCount(owed)} ${isOne ? `${oldest.kind} waits` : 'items wait'} for TIDAL, ${plural(owed.tracks, 'track')} in all`,
    advice: `${oldest ? `${isOne ? name : `The oldest is ${name}`}, owed for ${length}.` : ''}${failing} The API asks again.`,
    link:
      isOne && oldest.albumBatchId !== null
        ? { to: `/console/albums/${oldest.albumBatchId}`, label: 'See it' }
        : { to: '/console/albums#owed', label: isOne ? 'See it' : 'See them' },
  };
}

function addressOf({ isrc }: { isrc: string }): string {
  return `/console/recordings/${encodeURIComponent(isrc)}`;
}

function secondsSince(moment: Date, now: Date): number {
  return (now.getTime() - moment.getTime()) / 1_000;
}

/** ` for 14 min`; nothing where nobody knows since when. */
function forTime(since: Date | null, now: number): string {
  return since === null ? '' : ` for ${duration((now - since.getTime()) / 1_000)}`;
}
