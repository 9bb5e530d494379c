import { readOverview } from '@segue/outbox/operate/findings.ts';
import type { FastifyInstance } from 'fastify';
import type { ConsoleOptions } from '../console.ts';
import { page } from './layout.ts';
import { html } from './markup.ts';
import { count, duration } from './words.ts';

/** The page that answers at a glance: is it healthy, is it keeping up, what is stuck, what shall I do. */
export function serveOverview(server: FastifyInstance, { sql, health }: ConsoleOptions): void {
  server.get('/', { config: { right: 'read' } }, async (request, reply) => {
    const { backlog, findings } = await readOverview(sql);
    const body = html`<h1>Overview</h1>
<ul class="findings">${findings.map(
      ({ severity, summary, remedy }) =>
        html`<li class="${severity}"><span class="what">${summary}</span><span class="then">${remedy}</span></li>`,
    )}</ul>
<dl class="cards">
<div><dt>Waiting</dt><dd>${count(backlog.open)}</dd></div>
<div><dt>Oldest</dt><dd>${backlog.oldestSeconds === null ? '–' : duration(backlog.oldestSeconds)}</dd></div>
<div><dt>Dead</dt><dd>${count(backlog.dead)}</dd></div>
</dl>
<section class="panel"><h2>Services</h2><table><tbody>${health().map(
      ({ name, summary }) => html`<tr><th scope="row">${name}</th><td>${summary}</td></tr>`,
    )}</tbody></table></section>`;
    reply.type('text/html; charset=utf-8');
    return await reply.send(page({ title: 'Overview', section: 'overview', visitor: request.visitor, body }));
  });
}
