import type { Sql } from '@segue/database/connection.ts';
import { type Chart, type Range, ranges, readChart, readRates } from '@segue/outbox/operate/minutes.ts';
import type { FastifyInstance } from 'fastify';
import { asset } from '../assets/assets.ts';
import type { Watch } from '../live/watch.ts';
import { page } from './layout.ts';
import { html, type Markup, nothing } from './markup.ts';
import { renderParts } from './parts.ts';
import { choice } from './requestValues.ts';
import { count, duration } from './words.ts';

const rangeNames = Object.keys(ranges) as Range[];

/** The page that answers at a glance: is it healthy, is it keeping up, what is stuck, what shall I do. */
export function serveOverview(server: FastifyInstance, { sql, watch }: { sql: Sql; watch: Watch }): void {
  const charts = new Charts(sql);

  server.get('/', { config: { right: 'read' } }, async (request, reply) => {
    const range = choice(request.query, 'range', rangeNames) ?? 'hour';
    const snapshot = await watch.current();
    const chart = snapshot.failure === null ? await charts.read(range) : null;
    const parts = renderParts(snapshot);
    const part = (name: keyof typeof parts) => html`<div data-live="${name}">${parts[name]}</div>`;
    const body = html`<h1 class="hidden">Overview</h1>
<section aria-labelledby="attention"><h2 class="hidden" id="attention">What needs a person</h2>${part('findings')}</section>
<section aria-labelledby="figures"><h2 class="hidden" id="figures">Figures</h2>${part('figures')}</section>
<section class="panel" aria-labelledby="chart">
<div class="heading"><h2 id="chart">Requests a minute, and seconds from commit to sent</h2>
<div class="tabs">${rangeNames.map(
      name =>
        html`<a href="/console/?range=${name}#chart"${name === range ? html` aria-current="true"` : nothing}>${name}</a>`,
    )}</div></div>
${chart === null ? html`<p class="empty">No chart: the database does not answer.</p>` : chartOf(chart, range)}
</section>
<div class="columns">
<section class="panel"><h2>Services</h2>${part('services')}</section>
<section class="panel"><h2>Relays</h2>${part('relays')}</section>
<section class="panel"><h2>Dead requests by refusal</h2>${part('reasons')}</section>
<section class="panel"><div class="heading"><h2>Waiting for TIDAL</h2><a href="/console/albums#owed">All</a></div>${part('owed')}</section>
</div>
<p class="hint">These parts renew themselves while the page is open, every few seconds. <a href="/console/sending">${
      snapshot.glance?.sending.paused ? 'Resume sending…' : 'Pause sending…'
    }</a></p>`;
    reply.type('text/html; charset=utf-8');
    return await reply.send(
      page({
        title: 'Overview',
        section: 'overview',
        visitor: request.visitor,
        state: { name: 'headline', markup: parts.headline },
        body,
        refreshSeconds: 10,
      }),
    );
  });

  server.get('/minutes.json', { config: { right: 'read' } }, async (request, reply) => {
    const range = choice(request.query, 'range', rangeNames) ?? 'hour';
    return await reply.send((await charts.read(range)).chart);
  });
}

type Drawn = { chart: Chart; ageSeconds: number | null };

function chartOf({ chart, ageSeconds }: Drawn, range: Range): Markup {
  const { minutes, step } = ranges[range];
  const sum = (values: (number | null)[]) =>
    values.reduce<number>((all, value) => all + (value ?? 0) * step, 0);
  const highest = Math.max(...chart.lagHigh.map(value => value ?? 0));
  const age =
    ageSeconds === null
      ? 'No relay has written any figures yet.'
      : `The newest figures are ${duration(ageSeconds)} old.`;
  const source = `/console/minutes.json?range=${range}`;
  return html`<div class="chart" data-chart="requested scheduled skipped dead" data-from="${source}"></div>
<div class="chart" data-chart="lagMedian lagHigh" data-from="${source}"></div>
<p class="hint">In the last ${range === 'hour' ? 'hour' : range}: ${count(sum(chart.requested))} requested, ${count(sum(chart.scheduled))} scheduled, ${count(sum(chart.skipped))} skipped, ${count(sum(chart.dead))} dead.${
    highest > 0
      ? ` In the slowest ${step === 1 ? 'minute' : `${step} minutes`}, 95 % were sent within ${duration(highest)}.`
      : ''
  } ${age}${step > 1 ? ` Each point is a mean of ${step} minutes, of ${count(minutes / 60)} hours in all.` : ''}</p>
<link rel="stylesheet" href="${asset('uplot.css')}">
<script src="${asset('uplot.js')}" defer></script>
<script src="${asset('chart.js')}" defer></script>`;
}

const keptMs = 10_000;

/** Reads a chart once for all who look at it, and not more often than it changes. */
class Charts {
  #sql: Sql;
  #kept = new Map<Range, { at: number; drawn: Promise<Drawn> }>();

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  read(range: Range): Promise<Drawn> {
    const kept = this.#kept.get(range);
    if (kept && Date.now() - kept.at < keptMs) return kept.drawn;
    const drawn = Promise.all([readChart(this.#sql, range), readRates(this.#sql)]).then(
      ([chart, { ageSeconds }]) => ({ chart, ageSeconds }),
    );
    this.#kept.set(range, { at: Date.now(), drawn });
    drawn.catch(() => this.#kept.delete(range));
    return drawn;
  }
}
