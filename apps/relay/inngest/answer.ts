import type { Reply } from './post.ts';

/** What Inngest said to one call. */
export type Answer =
  | { kind: 'accepted' }
  /** Something in the call is not acceptable; `published` events from its start were taken all the same. */
  | { kind: 'refused'; error: string; published: number }
  /**
   * Nothing is wrong with the events: try again later. `broken`: the connection was closed in place of an answer,
   * as some proxies do with a request that is too large for them.
   */
  | { kind: 'unavailable'; error: string; retryAfterMs?: number; broken?: true };

/** Longer texts are cut: the whole page of a proxy does not belong in a column. */
const longestText = 300;

/**
 * The statuses that speak of the events themselves. A 401, 403 or 404 speaks of the configuration, 409, 429
 * and 5xx of the server or of a proxy before it; none of these may cost a row an attempt (rule R8).
 */
const refusals = new Set([400, 413, 422]);

/**
 * Reads the event API's answer.
 *
 * @param events how many were sent
 */
export function readAnswer({ status, headers, text }: Reply, events: number): Answer {
  const body = parse(text);
  if (status === 200) return readAcceptance(body, text, events);
  const said = typeof body?.error === 'string' ? body.error : text;
  const error = `Inngest answered ${status}: ${cut(said) || 'nothing'}`;
  if (refusals.has(status)) return { kind: 'refused', error, published: countPublished(body?.ids) };
  const retryAfterMs = readRetryAfter(headers['retry-after']);
  return {
    kind: 'unavailable',
    error: error + adviceOn(status, headers.location),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** What a person should look at. Of an address only its host: the event key stands in its path. */
function adviceOn(status: number, location: string | undefined): string {
  if (status === 401 || status === 403) return '. Check INNGEST_EVENT_KEY and INNGEST_BASE_URL';
  if (status < 300 || status > 399) return '';
  const host = location !== undefined && URL.parse(location)?.host;
  return `. It is a redirection${host ? ` to ${host}` : ''}, which is not followed: check INNGEST_BASE_URL`;
}

/**
 * A 200 names an id for each event. Where it names fewer nobody knows which events were taken; to send all of them
 * again under the same ids starts nothing twice, and to believe it could lose some. One that names none at all is
 * believed: servers that stand in for Inngest do so.
 */
function readAcceptance(body: ReturnType<typeof parse>, text: string, events: number): Answer {
  if (!Array.isArray(body?.ids) || (body.status ?? 200) !== 200) {
    return {
      kind: 'unavailable',
      error: `Inngest answered 200 with something else than its JSON: ${cut(text)}`,
    };
  }
  const named = body.ids.filter(isId).length;
  if (named >= events || body.ids.length === 0) return { kind: 'accepted' };
  return { kind: 'unavailable', error: `Inngest answered 200 for ${named} of ${events} events` };
}

const isId = (id: unknown) => typeof id === 'string' && id !== '';

/** The open-source server publishes the events before a bad one, and names their ids in its 400. */
function countPublished(ids: unknown): number {
  if (!Array.isArray(ids)) return 0;
  const firstEmpty = ids.findIndex(id => !isId(id));
  return firstEmpty === -1 ? ids.length : firstEmpty;
}

/** `Retry-After` is a number of seconds or a date (RFC 9110, 10.2.3). */
function readRetryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const seconds = /^\d+$/.test(value.trim()) ? Number(value) : (Date.parse(value) - Date.now()) / 1_000;
  return Number.isFinite(seconds) ? Math.max(0, seconds * 1_000) : undefined;
}

function parse(text: string): { ids?: unknown; status?: unknown; error?: unknown } | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

/** One line, and without control characters: PostgreSQL stores no NUL, and a row that cannot be settled never ends. */
function cut(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line.length > longestText ? `${line.slice(0, longestText)}…` : line;
}
