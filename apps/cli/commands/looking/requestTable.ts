import { cut } from '@segue/outbox/operate/cut.ts';
import type { FoundRequest } from '@segue/outbox/operate/find.ts';
import { sayDuration } from '../../duration.ts';

export const requestTitles = ['id', 'isrc', 'title', 'artist', 'status', 'age', 'attempts', 'what'];

/** A request as a line of a table. */
export function requestCells(request: FoundRequest, now = Date.now()): string[] {
  const { id, isrc, title, artist, status, attempts, createdAt } = request;
  const age = sayDuration((now - createdAt.getTime()) / 1_000);
  return [
    String(id),
    isrc,
    cut(title, 30),
    cut(artist, 20),
    status,
    age,
    String(attempts),
    whatOf(request, now),
  ];
}

/** The one thing to know of a request, by its status. */
function whatOf({ status, reason, lastError, availableAt, heldByHost }: FoundRequest, now: number): string {
  if (status === 'dead') return cut(reason ?? '', 60);
  if (status === 'skipped') return reason ?? '';
  if (status === 'scheduled') return '';
  const waitMs = availableAt.getTime() - now;
  const wait = waitMs > 0 ? `next attempt in ${sayDuration(waitMs / 1_000)}` : '';
  return [wait, lastError ? cut(lastError, 60) : '', heldByHost ? `at ${heldByHost}` : 'no relay']
    .filter(Boolean)
    .join('; ');
}
