import type { FastifyInstance } from 'fastify';
import { page } from '../pages/layout.ts';
import { html, nothing } from '../pages/markup.ts';
import { field } from '../pages/requestValues.ts';
import { seenAs } from './gate.ts';
import type { RefusedSignIns } from './refusedSignIns.ts';
import { rightOf, sessionSeconds, writeSession } from './session.ts';
import type { AccessSettings } from './variables.ts';
import { actorOf, sessionCookie } from './visitor.ts';

/** Signing in by a token, and out. */
export function serveLogin(
  server: FastifyInstance,
  settings: AccessSettings,
  refusals: RefusedSignIns,
): void {
  server.get('/login', { config: { right: 'open' } }, async (request, reply) => {
    const to = ownPath(field(request.query, 'to'));
    if (request.visitor !== null) return await reply.redirect(to, 303);
    return await reply.type('text/html; charset=utf-8').send(loginPage({ to }));
  });

  server.post('/login', { config: { right: 'open' } }, async (request, reply) => {
    const to = ownPath(field(request.body, 'to'));
    const name = field(request.body, 'name') ?? '';
    const actor = actorOf(name);
    const right = rightOf(field(request.body, 'token') ?? '', settings);
    if (right === null) refusals.add();
    if (right === null || actor === null) {
      const problem =
        right === null
          ? 'This token is unknown here. It is the value of CONSOLE_TOKEN or CONSOLE_READ_TOKEN of the relay.'
          : 'Say who you are: what you do is recorded under your name.';
      reply.code(401).type('text/html; charset=utf-8');
      return await reply.send(loginPage({ to, name, problem }));
    }
    reply.setCookie(sessionCookie, writeSession({ actor, right }, settings), {
      path: '/console',
      httpOnly: true,
      sameSite: 'strict',
      secure: seenAs(request, settings).protocol === 'https',
      maxAge: sessionSeconds,
    });
    return await reply.redirect(to, 303);
  });

  server.post('/logout', { config: { right: 'read' } }, async (_request, reply) => {
    reply.clearCookie(sessionCookie, { path: '/console' });
    return await reply.redirect('/console/login', 303);
  });
}

/** Only a page of the console: whoever sends somebody a link to the login must not send them elsewhere. */
export function ownPath(path: string | undefined): string {
  const url = URL.parse(path ?? '', 'http://console.invalid');
  const own = url?.host === 'console.invalid' && url.pathname.startsWith('/console/') ? url : null;
  return own === null || own.pathname === '/console/login' ? '/console/' : `${own.pathname}${own.search}`;
}

function loginPage({ to, name = '', problem }: { to: string; name?: string; problem?: string }): string {
  const body = html`<section class="panel narrow">
<h1>Sign in</h1>
<form method="post" action="/console/login">
${problem === undefined ? nothing : html`<p class="problem" id="problem" role="alert">${problem}</p>`}
<input type="hidden" name="to" value="${to}">
<p><label for="name">Your name</label>
<input id="name" name="name" value="${name}" required maxlength="100" autocomplete="username" aria-describedby="name-hint"></p>
<p class="hint" id="name-hint">What you do is recorded under it.</p>
<p><label for="token">Token</label>
<input id="token" name="token" type="password" required autocomplete="current-password"></p>
<p><button class="primary">Sign in</button></p>
</form>
</section>`;
  return page({ title: 'Sign in', visitor: null, body });
}
