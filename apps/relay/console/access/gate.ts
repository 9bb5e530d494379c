import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problemPage } from '../pages/problem.ts';
import { isCrossSite } from './crossSite.ts';
import type { RefusedSignIns } from './refusedSignIns.ts';
import type { Right } from './session.ts';
import type { AccessSettings } from './variables.ts';
import { type Admission, admit, bringsToken, isTrustedProxy, type Visitor } from './visitor.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null where nobody has been let in: at the login page. */
    visitor: Visitor | null;
  }
  interface FastifyContextConfig {
    /** What a visitor needs for this route: `open` needs no visitor. A route that says nothing needs `act`. */
    right?: Right | 'open';
  }
}

/** Nothing but what the image holds, no script or style in a page, and no frame around it. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

const answerHeaders = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  // With no-referrer, browsers send "Origin: null" with our own forms.
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-robots-tag': 'noindex, nofollow',
  'cache-control': 'no-store',
};

/** Guards all routes of the plugin: who may see them is decided here, for each, before its handler runs. */
export function guard(server: FastifyInstance, settings: AccessSettings, refusals: RefusedSignIns): void {
  server.decorateRequest('visitor', null);
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(answerHeaders);
    const right = request.is404 ? 'read' : (request.routeOptions.config.right ?? 'act');
    const { host } = seenAs(request, settings);
    const admission = admit(request, settings);
    if ('visitor' in admission) request.visitor = admission.visitor;
    const bearer = request.visitor?.by === 'bearer';
    if (isCrossSite({ method: request.method, headers: request.headers, host, bearer })) {
      return await refuse(request, reply, 403, {
        title: 'Another site has sent this',
        text: 'The console takes a form only from its own pages. Nothing was changed. Open the page anew and try again.',
      });
    }
    if ('refused' in admission) {
      if (admission.refused === 'login' && bringsToken(request)) refusals.add();
      // The login page of a console that is closed would promise a way in.
      if (right === 'open' && admission.refused === 'login') return;
      return await turnAway(admission.refused, request, reply);
    }
    if (right === 'open') return;
    if (right !== 'read' && !admission.visitor.mayAct) {
      return await refuse(request, reply, 403, {
        title: 'You may look, and not act',
        text: 'Your right is read-only. Nothing was changed. Sign in with CONSOLE_TOKEN, or have your name added to CONSOLE_ACTING_USERS.',
      });
    }
  });
}

/** Under which host and protocol the browser knows us. A proxy is believed only if it is trusted. */
export function seenAs(
  request: FastifyRequest,
  settings: AccessSettings,
): { host: string; protocol: string } {
  const { headers } = request;
  const first = (value: string | string[] | undefined) =>
    String(value ?? '')
      .split(',')[0]
      ?.trim() || null;
  const trusted = isTrustedProxy(request, settings);
  return {
    host: (trusted && first(headers['x-forwarded-host'])) || headers.host || '',
    protocol: (trusted && first(headers['x-forwarded-proto'])) || request.protocol,
  };
}

const closed: Record<string, { title: string; text: string }> = {
  closed: {
    title: 'The console is closed',
    text: 'This relay can be reached from other machines, so the console needs to know who asks. Set CONSOLE_TOKEN (and CONSOLE_READ_TOKEN for those who only look), or CONSOLE_USER_HEADER with CONSOLE_TRUSTED_PROXIES, and start the relay again.',
  },
  foreign_host: {
    title: 'Not under this name',
    text: 'Without CONSOLE_TOKEN the console answers on this machine alone, as localhost or 127.0.0.1.',
  },
  through_proxy: {
    title: 'Not through a proxy',
    text: 'Without CONSOLE_TOKEN the console answers on this machine alone. This request has come through a proxy: set CONSOLE_TOKEN, or CONSOLE_USER_HEADER with CONSOLE_TRUSTED_PROXIES.',
  },
};

async function turnAway(
  refused: Extract<Admission, { refused: string }>['refused'],
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const problem = closed[refused];
  if (problem) return await refuse(request, reply, 403, problem);
  const isPage = request.method === 'GET' && String(request.headers.accept ?? '').includes('text/html');
  if (isPage) return await reply.redirect(`/console/login?to=${encodeURIComponent(request.url)}`, 303);
  return await refuse(request, reply, 401, {
    title: 'Sign in first',
    text: 'Your session is over, or there was none. Nothing was changed.',
    login: true,
  });
}

async function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  problem: { title: string; text: string; login?: boolean },
) {
  return await reply
    .code(status)
    .type('text/html; charset=utf-8')
    .send(String(problemPage({ ...problem, status, visitor: request.visitor })));
}
