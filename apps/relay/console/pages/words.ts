import { type IconName, icon } from './icons.ts';
import { html, type Markup } from './markup.ts';

/** `1,234`. */
export function count(figure: number): string {
  return Math.round(figure).toLocaleString('en');
}

/** `1,234`, or `100,000+` where the count stopped. */
export function boundedCount({ count: figure, more }: { count: number; more: boolean }): string {
  return `${count(figure)}${more ? '+' : ''}`;
}

/** `1 request`, `2 requests`. */
export function plural(figure: number, word: string): string {
  return `${count(figure)} ${word}${figure === 1 ? '' : 's'}`;
}

/** How long something has lasted, as people say it: `0.4 s`, `45 s`, `12 min`, `3 h`, `2 days`. */
export function duration(seconds: number): string {
  const length = Math.max(0, seconds);
  if (length < 9.95) return `${Number(length.toFixed(1))} s`;
  if (length < 119.5) return `${Math.round(length)} s`;
  if (length < 7_170) return `${Math.round(length / 60)} min`;
  return length < 171_000 ? `${Math.round(length / 3_600)} h` : `${Math.round(length / 86_400)} days`;
}

/** A moment, to the second, in UTC, so that everybody means the same by it. */
export function moment(at: Date | string): Markup {
  const date = typeof at === 'string' ? new Date(at) : at;
  if (Number.isNaN(date.getTime())) return html`<span>${String(at)}</span>`;
  const iso = date.toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 19)}</time>`;
}

/** `12 min ago`, with the moment itself on demand. */
export function ago(at: Date | string, now = Date.now()): Markup {
  const date = typeof at === 'string' ? new Date(at) : at;
  const seconds = (now - date.getTime()) / 1_000;
  const iso = date.toISOString();
  const words = seconds < -1 ? `in ${duration(-seconds)}` : `${duration(seconds)} ago`;
  return html`<time datetime="${iso}" title="${iso.slice(0, 19).replace('T', ' ')} UTC">${words}</time>`;
}

/** `12 min`, for what has lasted since then, with the moment itself on demand. */
export function lasting(since: Date, now = Date.now()): Markup {
  const iso = since.toISOString();
  return html`<time datetime="${iso}" title="since ${iso.slice(0, 19).replace('T', ' ')} UTC">${duration((now - since.getTime()) / 1_000)}</time>`;
}

const statusIcons: Record<string, IconName> = {
  pending: 'waiting',
  in_flight: 'waiting',
  scheduled: 'sent',
  skipped: 'skipped',
  dead: 'failure',
  failed: 'failure',
  indexed: 'good',
  unknown: 'unknown',
};

/** The status of a request or recording, as a word with a shape of its own. */
export function statusWord(status: string): Markup {
  return html`<span class="word">${icon(statusIcons[status] ?? 'unknown')} ${status.replace('_', ' ')}</span>`;
}
