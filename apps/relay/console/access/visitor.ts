import type { FastifyRequest } from 'fastify';
import { type Right, readSession, rightOf } from './session.ts';
import { type AccessSettings, isLoopback } from './variables.ts';

/** Who asks. */
export type Visitor = {
  /** For the record of actions. */
  actor: string;
  mayAct: boolean;
  /** `session`: signed in by a token, and can sign out. */
  by: 'loopback' | 'session' | 'bearer' | 'proxy';
};

/** Why nobody is served, or who is. `login`: a token would help. */
export type Admission =
  | { visitor: Visitor }
  | { refused: 'closed' | 'login' | 'foreign_host' | 'through_proxy' };

/** Its path is the console's, so that no other application of the host is sent it. */
export const sessionCookie = 'segue_console';

const longestActor = 100;

/**
 * Says who asks, and fails closed:
 *
 * - a user whom a trusted proxy names;
 * - who brings a token, or the cookie of a session that one has opened;
 * - anybody on this machine, as long as the relay listens for it alone and no token is set.
 */
export function admit(request: FastifyRequest, settings: AccessSettings): Admission {
  const { token, readToken, userHeader } = settings;
  const user = userHeader === undefined ? undefined : userOfProxy(request, settings, userHeader);
  if (user !== undefined) return { visitor: user };

  if (token !== undefined || readToken !== undefined) {
    const visitor = bearerOf(request, settings) ?? sessionOf(request, settings);
    return visitor === null ? { refused: 'login' } : { visitor };
  }
  if (userHeader !== undefined || !settings.onLoopback) return { refused: 'closed' };

  // Whoever can make a browser on this machine ask us under a name of theirs could read the answer, too.
  if (!isLoopback(request.hostname)) return { refused: 'foreign_host' };
  // A proxy on this machine would let the whole world in.
  const { headers } = request;
  if (headers.forwarded ?? headers['x-forwarded-for'] ?? headers['x-real-ip'] ?? headers.via) {
    return { refused: 'through_proxy' };
  }
  return { visitor: { actor: 'console on this machine', mayAct: true, by: 'loopback' } };
}

/** Whether the request comes from a proxy whose headers are to be believed. */
export function isTrustedProxy(request: FastifyRequest, { trustedProxies }: AccessSettings): boolean {
  const address = request.socket.remoteAddress;
  if (address === undefined) return false;
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
  return trustedProxies.check(plain, plain.includes(':') ? 'ipv6' : 'ipv4');
}

/** A name for the record: one line, and not too long. Null for none. */
export function actorOf(text: string): string | null {
  const name = text
    .toWellFormed()
    .replace(/\p{C}+/gu, ' ')
    .trim()
    .slice(0, longestActor);
  return name === '' ? null : name.toWellFormed();
}

function userOfProxy(request: FastifyRequest, settings: AccessSettings, header: string): Visitor | undefined {
  if (!isTrustedProxy(request, settings)) return undefined;
  const value = request.headers[header];
  // Twice in one request: somebody has sent one along, and the proxy has not taken it out.
  const names = request.raw.rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === header);
  if (typeof value !== 'string' || names.length !== 1) return undefined;
  const actor = actorOf(value);
  if (actor === null) return undefined;
  const { actingUsers } = settings;
  return { actor, mayAct: actingUsers.includes('*') || actingUsers.includes(actor), by: 'proxy' };
}

/** Whether the request has a token in its header, known or not. */
export function bringsToken(request: FastifyRequest): boolean {
  return bearerTokenOf(request) !== undefined;
}

function bearerTokenOf(request: FastifyRequest): string | undefined {
  return /^Bearer +(\S.*?) *$/i.exec(request.headers.authorization ?? '')?.[1];
}

function bearerOf(request: FastifyRequest, settings: AccessSettings): Visitor | null {
  const given = bearerTokenOf(request);
  if (given === undefined) return null;
  const right = rightOf(given, settings);
  return right === null ? null : { actor: 'console token', mayAct: mayAct(right), by: 'bearer' };
}

function sessionOf(request: FastifyRequest, settings: AccessSettings): Visitor | null {
  const cookie = request.cookies[sessionCookie];
  const session = cookie === undefined ? null : readSession(cookie, settings);
  return session === null ? null : { actor: session.actor, mayAct: mayAct(session.right), by: 'session' };
}

function mayAct(right: Right): boolean {
  return right === 'act';
}
