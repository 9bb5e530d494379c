import type { Sql } from '@segue/database/connection.ts';
import { type Chart, type Range, ranges, readChart } from '@segue/outbox/operate/minutes.ts';
import type { FastifyInstance } from 'fastify';
import { asset } from '../assets/assets.ts';
import type { Snapshot } from '../live/watch.ts';
import { html, type Markup, nothing } from './markup.ts';
import { renderParts } from './parts.ts';
import { choice } from './requestValues.ts';
import { count, duration, moment } from './words.ts';

const rangeNames = Object.keys(ranges) as Range[];

/** The page that answers at a glance: is it healthy, is it keeping up, what is stuck, what shall I do. */
export function serveOverview(server: FastifyInstance, { sql }: { sql: Sql }): void {
  const charts = new Charts(sql);

  server.get('/', { config: { right: 'read' } }, async (request, reply) => {
    const range = choice(request.query, 'range', rangeNames) ?? 'hour';
    // Both at once. Why a database fails is told by the watch.
    const reading = charts.read(range);
    reading.catch(() => undefined);
    return reply.sendPage({ title: 'Overview', section: 'overview', refreshSeconds: 10 }, async snapshot =>
      bodyOf(snapshot, snapshot.failure === null ? await reading : null, range),
    );
  });

  server.get('/minutes.json', { config: { right: 'read' } }, async (request, reply) => {
    const range = choice(request.query, 'range', rangeNames) ?? 'hour';
    return await reply.send(await charts.read(range));
  });
}

function bodyOf(snapshot: Snapshot, chart: Chart | null, range: Range): Markup {
  const parts = renderParts(snapshot);
  const part = (name: keyof typeof parts) => html`<div data-live="${name}">${parts[name]}</div>`;
  return html`<h1 class="hidden">Overview</h1>
<section aria-labelledby="attention"><h2 class="hidden" id="attention">What needs a person</h2>${part('findings')}</section>
<section aria-labelledby="figures"><h2 class="hidden" id="figures">Figures</h2>${part('figures')}</section>
<section class="panel" aria-labelledby="chart">
<div class="heading"><h2 id="chart">Requests a minute, and seconds from commit to sent</h2>
<div class="tabs">${rangeNames.map(
    name =>
      html`<a href="/console/?range=${name}#chart"${name === range ? html` aria-current="true"` : nothing}>${name}</a>`,
  )}</div></div>
${chart === null ? html`<p class="empty">No chart: the database does not answer.</p>` : chartOf(chart, range, snapshot.rates?.ageSeconds ?? null)}
</section>
<div class="columns">
<section class="panel" id="services"><h2>Services</h2>${part('services')}</section>
<section class="panel"><div class="heading"><h2>Waiting for TIDAL</h2><a href="/console/albums#owed">All</a></div>${part('owed')}</section>
<section class="panel wide"><h2>Relays</h2>${part('relays')}</section>
<section class="panel wide"><h2>Dead requests by refusal</h2>${part('reasons')}</section>
</div>
<p class="hint">These parts renew themselves while the page is open, every few seconds.</p>`;
}

function chartOf(chart: Chart, range: Range, ageSeconds: number | null): Markup {
  const { minutes, step } = ranges[range];
  const sum = (values: (number | null)[]) =>
    values.reduce<number>((all, value) => all + (value ?? 0) * step, 0);
  const age =
    ageSeconds === null
      ? 'No relay has written any figures yet.'
      : `The newest figures are ${duration(ageSeconds)} old.`;
  const source = `/console/minutes.json?range=${range}`;
  return html`<div class="chart" data-chart="requested scheduled skipped dead" data-from="${source}"></div>
<div class="chart" data-chart="lagMedian lagHigh" data-from="${source}"></div>
<p class="hint">In the last ${range}: ${count(sum(chart.requested))} requested, ${count(sum(chart.scheduled))} scheduled, ${count(sum(chart.skipped))} skipped, ${count(sum(chart.dead))} dead. ${slowest(chart, step)} ${age}${step > 1 ? ` Each point is a mean of ${step} minutes, of ${count(minutes / 60)} hours in all.` : ''}</p>
<script src="${asset('chart.js')}" data-library="${asset('uplot.js')}" defer></script>`;
}

/** How long it took from commit to sent at the worst, and until when that is known. */
function slowest({ minute, lagHigh }: Chart, step: number): Markup {
  const last = lagHigh.findLastIndex(value => value !== null);
  if (last < 0) return nothing;
  const highest = duration(Math.max(...lagHigh.map(value => value ?? 0)));
  const point = step === 1 ? 'minute' : `${step} minutes`;
  if (last === lagHigh.length - 1) return html`In the slowest ${point}, 95 % were sent within ${highest}.`;
  const end = new Date(((minute[last] ?? 0) + step * 60) * 1_000);
  return html`Until ${moment(end)} UTC, in the slowest ${point}, 95 % were sent within ${highest}; the chart has nothing sent after that.`;
}

const keptMs = 10_000;

/** Reads a chart once for all who look at it, and not more often than it changes. */
class Charts {
  #sql: Sql;
  #kept = new Map<Range, { at: number; drawn: Promise<Chart> }>();

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  read(range: Range): Promise<Chart> {
    const kept = this.#kept.get(range);
    if (kept && Date.now() - kept.at < keptMs) return kept.drawn;
    const drawn = readChart(this.#sql, range);
    this.#kept.set(range, { at: Date.now(), drawn });
    drawn.catch(() => this.#kept.delete(range));
    return drawn;
  }
}
