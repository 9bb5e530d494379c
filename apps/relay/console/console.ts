import type { Sql } from '@segue/database/connection.ts';
import { readBacklog, readRecent } from '@segue/outbox/backlog.ts';
import { reasonOf } from '@segue/process/reason.ts';
import type { BreakerState } from '../guards/breaker.ts';

/** The page that a person looks at first: what waits, what holds it back, what happened last. */
export async function consolePage(sql: Sql, breakers: Record<string, BreakerState>): Promise<string> {
  let body: string;
  try {
    const [backlog, recent] = await Promise.all([readBacklog(sql), readRecent(sql)]);
    body = `
      <p><b>${backlog.openRows}</b> rows wait, the oldest for <b>${Math.round(backlog.oldestSeconds)} s</b>.</p>
      <table><tr><th>id<th>ISRC<th>title<th>status<th>reason<th>attempts<th>last error</tr>
      ${recent
        .map(row => Object.values(row).map(value => `<td>${escapeHtml(value)}`))
        .map(cells => `<tr>${cells.join('')}</tr>`)
        .join('\n')}
      </table>`;
  } catch (error) {
    body = `<p>The database does not answer: ${escapeHtml(reasonOf(error))}</p>`;
  }
  const states = Object.entries(breakers).map(([service, state]) => `${service}: breaker ${state}`);
  return `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="5"><title>Segue relay</title>
    <style>body{font:15px system-ui;margin:2rem;color-scheme:light dark}td,th{text-align:left;padding:.2rem .8rem .2rem 0}</style>
    <h1>Segue relay</h1><p>${states.join(' · ')} · <a href="/readyz">readyz</a> · <a href="/metrics">metrics</a></p>${body}`;
}

function escapeHtml(value: unknown): string {
  return String(value ?? '').replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`);
}
