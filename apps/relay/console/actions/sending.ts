import type { Sql } from '@segue/database/connection.ts';
import { ActionInvalid, ActionRefused } from '@segue/outbox/operate/act.ts';
import { longestAlone } from '@segue/outbox/operate/cut.ts';
import { pauseSending, readSending, resumeSending } from '@segue/outbox/operate/sending.ts';
import type { FastifyInstance } from 'fastify';
import type { Visitor } from '../access/visitor.ts';
import type { Watch } from '../live/watch.ts';
import { icon } from '../pages/icons.ts';
import { isolated } from '../pages/isolated.ts';
import { html, nothing } from '../pages/markup.ts';
import { problemPage } from '../pages/problem.ts';
import { choice, field } from '../pages/requestValues.ts';
import { moment } from '../pages/words.ts';

/** Pausing all relays, and letting them send again. */
export function serveSending(server: FastifyInstance, { sql, watch }: { sql: Sql; watch: Watch }): void {
  server.get('/sending', { config: { right: 'read' } }, async (request, reply) => {
    const visitor = request.visitor as Visitor;
    const { paused } = await readSending(sql);
    const what = paused
      ? html`<p>${icon('paused')} <strong>All relays pause</strong> since ${moment(paused.at)} UTC, by ${isolated(paused.by ?? 'somebody')}: ${isolated(paused.reason ?? 'no reason given', longestAlone)}</p><p>Additions go on, and their requests wait.</p>`
      : html`<p>${icon('good')} <strong>The relays send.</strong> A pause stops all of them within seconds, until somebody resumes. Additions go on, and their requests wait.</p>`;
    const form = html`<form method="post" action="/console/sending">
<input type="hidden" name="action" value="${paused ? 'resume' : 'pause'}">
<p><label for="why">Why? It is recorded for those who look later.</label><textarea id="why" name="why" required maxlength="1000"></textarea></p>
<p class="buttons"><button class="primary">${paused ? 'Resume sending' : 'Pause sending'}</button><a class="button" href="/console/">Do nothing</a></p>
</form>`;
    const body = html`<h1>${paused ? 'Sending is paused' : 'Pause sending'}</h1><section class="panel notice">${what}${visitor.mayAct ? form : nothing}</section>`;
    return reply.sendPage({ title: 'Sending', section: 'sending' }, body);
  });

  server.post('/sending', { config: { right: 'act' } }, async (request, reply) => {
    const action = choice(request.body, 'action', ['pause', 'resume'] as const);
    const { actor } = request.visitor as Visitor;
    const why = { reason: field(request.body, 'why') ?? '', actor };
    try {
      if (action === undefined) throw new ActionInvalid('It is either pause or resume.');
      await (action === 'pause' ? pauseSending(sql, why) : resumeSending(sql, why));
    } catch (error) {
      if (!(error instanceof ActionRefused) && !(error instanceof ActionInvalid)) throw error;
      const status = error instanceof ActionRefused ? 409 : 400;
      const problem = { status, title: 'Nothing was changed', text: error.message, visitor: request.visitor };
      return await reply.code(status).type('text/html; charset=utf-8').send(problemPage(problem));
    }
    watch.outdated();
    return await reply.redirect('/console/', 303);
  });
}
