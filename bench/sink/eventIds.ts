const marker = Buffer.from('"id":"track-ingestion:');
const prefixBytes = '"id":"'.length;
const quote = 0x22;

/**
 * The ids of the events in a request's body, in order. It searches for them instead of reading the JSON: the
 * sink shares two cores with what is measured, and this takes a tenth of the time. Only the events of the
 * benchmarks may be read so, in none of which a title looks like an id.
 */
function eventIdsIn(body: Buffer): string[] {
  const ids: string[] = [];
  for (let at = body.indexOf(marker); at !== -1; at = body.indexOf(marker, at + marker.length)) {
    const start = at + prefixBytes;
    ids.push(body.toString('latin1', start, body.indexOf(quote, start)));
  }
  return ids;
}

const refusedTitle = Buffer.from('"title":"Refused"');

/** The ids of the events that Inngest publishes: all, or those before one with the title `Refused`, for which it refuses the call. */
export function publishedIn(body: Buffer): { ids: string[]; isRefused: boolean } {
  const at = body.indexOf(refusedTitle);
  if (at === -1) return { ids: eventIdsIn(body), isRefused: false };
  // Its own id stands before its title.
  return { ids: eventIdsIn(body.subarray(0, at)).slice(0, -1), isRefused: true };
}
