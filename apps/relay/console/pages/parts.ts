import { longestAlone } from '@segue/outbox/operate/cut.ts';
import type { Glance } from '@segue/outbox/operate/glance.ts';
import type { Rates } from '@segue/outbox/operate/minutes.ts';
import { isAlive } from '@segue/outbox/operate/relays.ts';
import type { Snapshot } from '../live/watch.ts';
import { consoleFindings } from './findings.ts';
import { icon } from './icons.ts';
import { isolated, isolatedText } from './isolated.ts';
import { html, type Markup, nothing } from './markup.ts';
import { ago, boundedCount, count, duration, lasting, plural } from './words.ts';

/** The parts of pages that change by themselves, each as the markup within its element. */
export type Parts = Record<PartName, Markup>;
export type PartName = keyof typeof renderers;

const renderers = {
  state: statePart,
  headline: headlinePart,
  findings: findingsPart,
  figures: figuresPart,
  services: servicesPart,
  relays: relaysPart,
  owed: owedPart,
  reasons: reasonsPart,
} satisfies Record<string, (snapshot: Snapshot) => Markup>;

export function renderParts(snapshot: Snapshot): Parts {
  return Object.fromEntries(
    Object.entries(renderers).map(([name, render]) => [name, render(snapshot)]),
  ) as Parts;
}

/** The same on the overview, which lists all that is wrong below. */
export function headlinePart(snapshot: Snapshot): Markup {
  const isPaused = Boolean(snapshot.glance?.sending.paused);
  return isPaused || consoleFindings(snapshot).length === 0 ? statePart(snapshot) : nothing;
}

/** The line at the top of each page: whether all is well, in one sentence. */
export function statePart(snapshot: Snapshot): Markup {
  const findings = consoleFindings(snapshot);
  const paused = snapshot.glance?.sending.paused;
  if (paused) {
    return html`<div class="paused">${icon('paused')} <span><strong>Sending is paused</strong> for ${duration(
      (snapshot.readAt - paused.at.getTime()) / 1_000,
    )}, by ${isolated(paused.by ?? 'somebody')}: ${isolated(paused.reason ?? 'no reason given', longestAlone)}</span> <a href="/console/sending">Resume…</a></div>`;
  }
  const [worst] = findings;
  if (worst === undefined) {
    return html`<div class="well">${icon('good')} <span><strong>All is well.</strong> ${
      snapshot.rates === null ? '' : pace(snapshot.rates)
    }</span></div>`;
  }
  const more = findings.length - 1;
  return html`<div class="${worst.severity}">${icon(worst.severity)} <span><strong>${worst.summary}.</strong>${
    more > 0 ? ` And ${more === 1 ? 'one thing' : `${more} things`} more.` : ''
  }</span></div>`;
}

function pace({ lagHigh, lastScheduledSeconds: last }: Rates): string {
  if (lagHigh !== null) return `95 % are sent within ${duration(lagHigh)}.`;
  return last === null ? 'Nothing has been sent so far.' : `Nothing has been sent for ${duration(last)}.`;
}

export function findingsPart(snapshot: Snapshot): Markup {
  const findings = consoleFindings(snapshot);
  if (findings.length === 0) return nothing;
  return html`<ul class="findings">${findings.map(
    ({ severity, summary, advice, link }) =>
      html`<li class="${severity}">${icon(severity)}<span class="what"><span class="hidden">${severity}: </span>${summary}</span><span class="then">${advice}</span>${
        link ? html`<a class="more" href="${link.to}">${link.label}</a>` : nothing
      }</li>`,
  )}</ul>`;
}

export function figuresPart({ glance, rates }: Snapshot): Markup {
  if (glance === null || rates === null)
    return html`<p class="empty">No figures: the database does not answer.</p>`;
  const { open, dead, owed } = glance;
  const oldest = open.oldestSeconds === null ? 'none' : `oldest ${duration(open.oldestSeconds)}`;
  return html`<dl class="cards">
${card('Waiting', html`<a href="/console/requests?status=pending&amp;order=oldest">${count(open.count)}</a>`, open.isEstimate ? `estimated, ${oldest}` : oldest)}
${card('Scheduled a minute', html`${rate(rates.scheduled)}`, scheduledLately(rates))}
${card('Skipped a minute', html`${rate(rates.skipped)}`, 'indexed or duplicate')}
${card('Dead', html`<a href="/console/requests?status=dead">${boundedCount(dead)}</a>`, `${count(dead.lastHour)} in the last hour`)}
${card('Tracks TIDAL owes', html`<a href="/console/albums#owed">${count(owed.tracks)}</a>`, owed.count === 0 ? 'no item' : `${boundedCount(owed)} ${owed.count === 1 ? 'item' : 'items'}`)}
</dl>`;
}

function scheduledLately({ lagHigh, lastScheduledSeconds: last }: Rates): string {
  if (lagHigh !== null) return `95 % within ${duration(lagHigh)}`;
  return last === null ? 'none so far' : `none for ${duration(last)}`;
}

function card(name: string, value: Markup, small: string): Markup {
  return html`<div><dt>${name}</dt><dd>${value}<small>${small}</small></dd></div>`;
}

function rate(perMinute: number): string {
  return perMinute > 0 && perMinute < 10 ? perMinute.toFixed(1) : count(perMinute);
}

const stateWords = { ok: 'good', degraded: 'warning', unavailable: 'failure' } as const;

function servicesPart({ glance, dependencies, workers, readAt }: Snapshot): Markup {
  const rows = dependencies.map(({ name, state, summary, since }) => ({
    name,
    shape: stateWords[state],
    summary: isolated(summary, longestAlone),
    since: since === null ? html`all along` : lasting(since, readAt),
  }));
  const ofWorkers = (workers ?? []).map(({ address, ready, summary }) => ({
    name: `Worker ${isolatedText(address)}`,
    shape: ready ? ('good' as const) : ('failure' as const),
    summary: isolated(summary, longestAlone),
    since: nothing,
  }));
  return html`<table class="stack"><thead><tr><th scope="col">Service</th><th scope="col">State</th><th scope="col">For</th></tr></thead>
<tbody>${[...rows, ...(glance === null ? [] : [tidalRow(glance)]), ...ofWorkers].map(
    ({ name, shape, summary, since }) =>
      html`<tr><th scope="row">${name}</th><td>${icon(shape)} ${summary}</td><td class="muted fixed" data-label="For">${since}</td></tr>`,
  )}</tbody></table>${
    workers === null
      ? html`<p class="hint">Workers are not asked: name them in CONSOLE_WORKERS.</p>`
      : nothing
  }`;
}

/** The relay does not ask TIDAL; what the API could not get is in the database. */
function tidalRow({ owed, at }: Glance) {
  if (owed.failingSince === null)
    return {
      name: 'TIDAL',
      shape: 'unknown' as const,
      summary: html`is asked by the API alone`,
      since: nothing,
    };
  const error = owed.items.find(({ failingSince }) => failingSince !== null)?.lastError ?? null;
  return {
    name: 'TIDAL',
    shape: 'warning' as const,
    summary: html`fails${owed.failing < owed.count ? ` for ${count(owed.failing)} of ${boundedCount(owed)} items` : ''}${error === null ? '' : html`: ${isolated(error, longestAlone)}`}`,
    since: lasting(owed.failingSince, at.getTime()),
  };
}

const relayStates = {
  running: { shape: 'good', word: 'sends' },
  held_back: { shape: 'failure', word: 'waits for Inngest' },
  stopped: { shape: 'unknown', word: 'stopped' },
} as const;

function relaysPart({ glance, readAt }: Snapshot): Markup {
  if (glance === null) return html`<p class="empty">Unknown: the database does not answer.</p>`;
  const relays = glance.relays.filter(
    ({ state, silentSeconds: silent }) => state !== 'stopped' || silent < 600,
  );
  const sending = html`<p class="buttons"><a class="button" href="/console/sending">${glance.sending.paused ? 'Resume sending…' : 'Pause sending…'}</a></p>`;
  if (relays.length === 0)
    return html`<p class="empty">No relay has given a sign of life for an hour.</p>${sending}`;
  return html`<table class="stack"><thead><tr><th scope="col">Host</th><th scope="col">State</th><th scope="col" class="number">Slots</th><th scope="col">Runs for</th><th scope="col">Last sign</th><th scope="col">Version</th></tr></thead>
<tbody>${relays.map(({ host, state, slots, since, silentSeconds: silent, version }) => {
    const gone = state !== 'stopped' && !isAlive({ state, silentSeconds: silent });
    const { shape, word } = gone
      ? { shape: 'failure' as const, word: 'gives no sign of life' }
      : relayStates[state];
    return html`<tr><th scope="row">${isolated(host)}</th><td class="fixed">${icon(shape)} ${word}</td><td class="number" data-label="Slots">${slots}</td><td class="fixed" data-label="Runs for">${lasting(since, readAt)}</td><td class="fixed" data-label="Last sign">${duration(silent)} ago</td><td data-label="Version">${isolated(version)}</td></tr>`;
  })}</tbody></table>${sending}`;
}

function owedPart({ glance, readAt }: Snapshot): Markup {
  if (glance === null) return html`<p class="empty">Unknown: the database does not answer.</p>`;
  return owedTable(glance.owed.items, readAt);
}

export function owedTable(items: NonNullable<Snapshot['glance']>['owed']['items'], now: number): Markup {
  if (items.length === 0) return html`<p class="empty">TIDAL owes nothing.</p>`;
  return html`<table class="stack"><thead><tr><th scope="col">Item</th><th scope="col" class="number">Tracks</th><th scope="col">Owed for</th><th scope="col">Next attempt</th></tr></thead>
<tbody>${items.map(
    ({
      title,
      artist,
      kind,
      tracksOwed,
      owedSince,
      nextAttemptAt,
      attempts,
      failingSince,
      lastError,
      albumBatchId,
    }) =>
      html`<tr><th scope="row" class="title">${
        albumBatchId === null
          ? isolated(title)
          : html`<a href="/console/albums/${albumBatchId}">${isolated(title)}</a>`
      }<br><span class="muted small">${isolated(artist)} · ${kind}</span></th><td class="number" data-label="Tracks">${tracksOwed}</td><td class="fixed" data-label="Owed for">${lasting(owedSince, now)}</td><td data-label="Next attempt">${
        nextAttemptAt === null ? 'under way' : ago(nextAttemptAt, now)
      }${
        attempts > 0
          ? html`<br><span class="muted small">${plural(attempts, 'attempt')} failed${
              failingSince === null ? nothing : html`, for ${lasting(failingSince, now)}`
            }: ${isolated(lastError ?? 'no message', longestAlone)}</span>`
          : nothing
      }</td></tr>`,
  )}</tbody></table>`;
}

function reasonsPart({ glance, readAt }: Snapshot): Markup {
  if (glance === null) return html`<p class="empty">Unknown: the database does not answer.</p>`;
  if (glance.dead.reasons.length === 0) return html`<p class="empty">No request is dead.</p>`;
  return html`<table class="stack"><thead><tr><th scope="col">Refused with</th><th scope="col" class="number">Requests</th><th scope="col">Last</th></tr></thead>
<tbody>${glance.dead.reasons.map(
    ({ reason, count: requests, lastAt }) =>
      html`<tr><th scope="row"><a href="/console/requests?${new URLSearchParams({ status: 'dead', error: reason.slice(0, 200) }).toString()}">${isolated(reason || '(no reason)', longestAlone)}</a></th><td class="number" data-label="Requests">${count(requests)}</td><td data-label="Last">${ago(lastAt, readAt)}</td></tr>`,
  )}</tbody></table>`;
}
