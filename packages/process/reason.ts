/**
 * Says in one line why something failed, causes included. `fetch failed` alone helps nobody at three in the
 * morning; `fetch failed: connect ECONNREFUSED 127.0.0.1:8288` does.
 */
export function reasonOf(error: unknown): string {
  const parts: string[] = [];
  for (let at = error, depth = 0; at !== undefined && at !== null && depth < 5; depth++) {
    const text = partOf(at);
    if (text && !parts.some(part => part.includes(text))) parts.push(text);
    at = at instanceof Error ? at.cause : undefined;
  }
  return parts.join(': ').replace(/\s+/g, ' ') || 'unknown error';
}

function partOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Node reports a connection tried over IPv4 and IPv6 as one error of several, without a message.
  if (error instanceof AggregateError && !error.message) return error.errors.map(partOf).join(', ');
  return error.message || (error as NodeJS.ErrnoException).code || error.name;
}
