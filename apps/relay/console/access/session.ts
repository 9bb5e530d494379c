import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** What somebody may do. */
export type Right = 'read' | 'act';

/** Who has signed in by a token. */
export type Session = { actor: string; right: Right };

/** A working day. The cookie of a token that was changed is worth nothing from then on. */
export const sessionSeconds = 12 * 3_600;

type Tokens = { token: string | undefined; readToken: string | undefined };

/** Whether two texts are the same, in a time that says nothing of where they differ or how long they are. */
export function equalInConstantTime(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

/** @returns what the token allows; null for one that is unknown */
export function rightOf(given: string, { token, readToken }: Tokens): Right | null {
  // Both are compared always, so that the time does not say which there is.
  const acts = equalInConstantTime(given, token ?? '') && token !== undefined;
  const reads = equalInConstantTime(given, readToken ?? '') && readToken !== undefined;
  if (acts) return 'act';
  return reads ? 'read' : null;
}

/**
 * Writes a session down for the cookie: `right.end.actor.signature`, signed by the token that was given. Any relay with
 * the same token reads it, and none has to remember it.
 *
 * @param now in ms
 */
export function writeSession({ actor, right }: Session, tokens: Tokens, now = Date.now()): string {
  const end = Math.floor(now / 1_000) + sessionSeconds;
  const content = `${right}.${end}.${Buffer.from(actor).toString('base64url')}`;
  return `${content}.${signature(content, keyOf(right, tokens) ?? '')}`;
}

/** @returns null for one that is over, was changed, or signed by another token */
export function readSession(text: string, tokens: Tokens, now = Date.now()): Session | null {
  const match = /^((read|act)\.(\d{1,12})\.([\w-]{1,600}))\.([\w-]{43})$/.exec(text);
  if (match === null) return null;
  const [, content = '', right, end, actor = '', signed = ''] = match;
  const key = keyOf(right as Right, tokens);
  if (key === undefined || !equalInConstantTime(signed, signature(content, key))) return null;
  if (Number(end) * 1_000 <= now) return null;
  return { actor: Buffer.from(actor, 'base64url').toString(), right: right as Right };
}

function keyOf(right: Right, { token, readToken }: Tokens): string | undefined {
  return right === 'act' ? token : readToken;
}

function signature(content: string, key: string): string {
  return createHmac('sha256', key).update(`segue console session\n${content}`).digest('base64url');
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
