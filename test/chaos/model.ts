import { cancelledByHand, type Touched } from './hands.ts';

/** An addition of one recording. Its title is like no other's, so that it can be followed all the way. */
export type Addition = {
  title: string;
  /** In the canonical spelling; null where none that is valid was given (rule R9). */
  isrc: string | null;
  force: boolean;
  /** Numbers the dedupe windows: what was added in different ones are no duplicates of each other. */
  window: number;
  /** False when its commit was never confirmed: it may be there or not. */
  confirmed: boolean;
};

/** A row of `ingestion_outbox`. */
export type Row = {
  title: string;
  isrc: string;
  artist: string;
  album: string;
  force: boolean;
  status: string;
  reason: string | null;
  generation: number | null;
  settled: boolean;
  /** For whoever has to find out why: no rule depends on them. */
  attempts?: number;
  lastError?: string | null;
};

/** What Inngest has accepted, each time that it did. */
export type AcceptedEvent = { id: string; name: string; ts: number; data: Record<string, unknown> | null };

export type LedgerEntry = { isrc: string; generation: number; sent: boolean };

/** An album: the tracks asked for, those that its batch has counted, and those of its rows that are settled. */
export type AlbumCount = { id: number; total: number; counted: number; settled: number };

/** All that can be known from outside once the outbox has been drained. */
export type Outcome = {
  additions: Addition[];
  rows: Row[];
  events: AcceptedEvent[];
  ledger: LedgerEntry[];
  albums: AlbumCount[];
  /** Whether the index holds the recording by now. */
  isIndexed: (isrc: string) => boolean;
  /** Whether Inngest, or the relay, refuses every event of the recording. */
  isRefused: (isrc: string) => boolean;
  /** What people have done to the rows. */
  touched: Touched;
};

/**
 * The rules R1 to R6, R8 and R9 as a model: what holds of every outcome, whatever broke on the way.
 *
 * It leaves open what a crash leaves open: a row whose event was accepted, and whose relay died before that was
 * written down, is settled by the next relay, which may find the recording in the index by then.
 *
 * @returns a sentence for each thing that is wrong
 */
export function violations(outcome: Outcome): string[] {
  const rules = [oneRowEach, oneMeaningEach, eachSettledAsItWent, oncePerWindow, albumsCounted];
  return rules.flatMap(rule => [...rule(outcome)]);
}

/** R1, R2, R9: a row for each addition that has an ISRC, and none for anything else. */
function* oneRowEach({ additions, rows, touched }: Outcome) {
  const rowsOf = Map.groupBy(rows, row => row.title);
  for (const { title, isrc, confirmed } of additions) {
    const count = rowsOf.get(title)?.length ?? 0;
    const most = isrc === null ? 0 : 1;
    if (count > most || (confirmed && count < most && !touched.removed.has(title)))
      yield `R1, R2: ${title} (${isrc}) has ${count} rows`;
  }
  const added = new Set(additions.map(addition => addition.title));
  for (const { title } of rows) if (!added.has(title)) yield `R2: ${title} was never added`;
}

/** R3, R6: an event says what its row says, and an id stands for one recording. */
function* oneMeaningEach({ rows, events, touched }: Outcome) {
  const rowOf = new Map([...touched.removed.values(), ...rows].map(row => [row.title, row]));
  for (const { id, data } of events) {
    const row = rowOf.get(String(data?.title));
    const same = (['artist', 'album', 'force'] as const).every(key => row && data?.[key] === row[key]);
    const isrcs = [row?.isrc, ...(touched.formerIsrcs.get(String(data?.title)) ?? [])];
    if (!same || !isrcs.includes(String(data?.isrc)))
      yield `R3: ${id} says what nobody asked for: ${JSON.stringify(data).slice(0, 500)}`;
  }
  for (const [id, repeated] of Map.groupBy(events, event => event.id)) {
    const meanings = new Set(repeated.map(({ name, data }) => JSON.stringify([name, data?.isrc])));
    if (meanings.size > 1) yield `R6: ${id} stands for several things: ${[...meanings].join(' and ')}`;
    for (const [title, same] of Map.groupBy(repeated, ({ data }) => data?.title)) {
      const contents = new Set(same.map(({ ts, data }) => JSON.stringify([ts, data])));
      if (contents.size > 1)
        yield `R6: ${id} of ${title} came with different data: ${[...contents].join(' and ').slice(0, 1_000)}`;
    }
  }
}

/**
 * R1, R3, R4, R5, R8: every row is settled. One that is scheduled was answered by the first event under its id, its own or
 * that of another request which was open at the same time; a forced one never by a plain event. Of the others none has an
 * event of its own, unless a relay died before it wrote down that it had sent one.
 */
function* eachSettledAsItWent({ rows, events, isIndexed, isRefused, touched }: Outcome) {
  // Inngest starts a run for the first event under an id, and drops the others.
  const runOf = new Map(events.toReversed().map(({ id, data }) => [id, data]));
  const idsOf = idsByTitle(events);
  for (const { title, isrc, force, status, reason, generation, settled } of rows) {
    const ids = idsOf.get(title) ?? [];
    // Under each ISRC that it had, it may have been sent.
    const former = touched.formerIsrcs.get(title)?.length ?? 0;
    const isSentOnce = ids.length <= 1 + former;
    const run = runOf.get(`track-ingestion:${isrc}:${generation}`);
    const isCancelled = touched.cancelled.has(title) && reason === cancelledByHand && (force || isSentOnce);
    const right = {
      scheduled: answers(run, force, touched) && (force || isSentOnce),
      'skipped already_indexed': isIndexed(isrc) && !force && isSentOnce,
      'skipped duplicate': !force && isSentOnce,
      [`skipped ${cancelledByHand}`]: isCancelled,
      dead: isCancelled || (isRefused(isrc) && ids.length <= former),
    }[status === 'skipped' ? `${status} ${reason}` : status];
    if (!settled || !right) {
      const is = `${status}${settled ? '' : ' and not settled'} (${reason}, generation ${generation})`;
      const cause = rows.find(row => row.title === run?.title);
      yield `R1, R3, R4, R5, R8: ${title} (${isrc}) is ${is}; its events: ${ids.join(', ') || 'none'}; ` +
        `the run under its id is of ${JSON.stringify(cause ?? run)}`;
    }
  }
}

/**
 * Whether a run of this event is what a request asked for. The sending of a plain request that was never heard of is
 * forgotten with its row: a forced one may meet its id then.
 */
function answers(run: AcceptedEvent['data'] | undefined, force: boolean, touched: Touched): boolean {
  return run !== undefined && (run?.force === true || !force || isTouched(run, touched));
}

function isTouched(event: AcceptedEvent['data'], { removed, formerIsrcs, cancelled }: Touched): boolean {
  const title = String(event?.title);
  return removed.has(title) || formerIsrcs.has(title) || cancelled.has(title);
}

/** R1, R5, R6: in a window a recording is sent once, and anew only where forced; its generations rise. */
function* oncePerWindow({ additions, rows, events, ledger, isIndexed, touched }: Outcome) {
  const windowOf = new Map(additions.map(({ title, window }) => [title, window]));
  const entryOf = new Map(ledger.map(entry => [entry.isrc, entry]));
  const sentOf = Map.groupBy(events, ({ data }) => String(data?.isrc));
  // What was sent, and found indexed before anybody had heard of that, was not sent for all that the ledger knows.
  const unheard = new Set(rows.filter(row => row.reason === 'already_indexed').map(({ title }) => title));

  for (const [isrc, asked] of Map.groupBy(rows, row => row.isrc)) {
    const ids = new Map<
      number,
      { window: number; force: boolean; isForgotten: boolean; isUnheard: boolean }
    >();
    for (const { id, data } of sentOf.get(isrc) ?? []) {
      const window = windowOf.get(String(data?.title)) ?? 0;
      const generation = Number(id.split(':')[2]);
      const before = ids.get(generation);
      // A sending that was never heard of is forgotten with its row; its id is the next one then.
      if (before !== undefined && before.window !== window && !before.isForgotten)
        yield `R6: ${id} is used in the windows ${before.window} and ${window}`;
      ids.set(generation, {
        window,
        force: data?.force === true,
        isForgotten: isTouched(data, touched),
        isUnheard: before?.isUnheard !== false && unheard.has(String(data?.title)),
      });
    }
    const sent = [...ids].sort(([a], [b]) => a - b);
    const told = sent.map(([generation, { window }]) => `${generation} in window ${window}`).join(', ');
    for (const [window, rowsThen] of Map.groupBy(asked, row => windowOf.get(row.title) ?? 0)) {
      const then = sent.filter(([, event]) => event.window === window);
      const known = then.filter(([, { isUnheard }]) => !isUnheard);
      if (known.slice(1).some(([, { force }]) => !force)) yield `R5: ${isrc} is sent twice: ${told}`;
      if (then.length === 0 && !isIndexed(isrc) && rowsThen.some(row => row.reason === 'duplicate')) {
        yield `R1: ${isrc} has duplicates of nothing in window ${window}: ${told}`;
      }
    }
    if (sent.some(([, { window }], place) => window < (sent[place - 1]?.[1].window ?? 0))) {
      yield `R6: the generation of ${isrc} does not rise: ${told}`;
    }
    const highest = sent.at(-1)?.[0] ?? 0;
    const entry = entryOf.get(isrc);
    // One whose event was accepted unheard, and that was found indexed then, is known by its generation.
    const isKnown = entry && entry.generation >= highest && (entry.sent || isIndexed(isrc));
    // A sending that was never heard of, and its row is gone.
    const isForgotten = (sentOf.get(isrc) ?? []).some(
      ({ id, data }) => id === `track-ingestion:${isrc}:${highest}` && isTouched(data, touched),
    );
    if (highest > 0 && !isKnown && !isForgotten) {
      yield `R5: the ledger does not know that ${isrc}:${highest} was sent: ${JSON.stringify(entry)}`;
    }
  }
}

function* albumsCounted({ albums, touched }: Outcome) {
  for (const { id, total, counted, settled } of albums) {
    if (touched.albums.has(id)) continue;
    if (counted !== total || settled !== total) {
      yield `album ${id} of ${total} tracks has counted ${counted}, and ${settled} of its rows are settled`;
    }
  }
}

function idsByTitle(events: AcceptedEvent[]): Map<string, string[]> {
  const byTitle = Map.groupBy(events, event => String(event.data?.title));
  return new Map([...byTitle].map(([title, sent]) => [title, [...new Set(sent.map(({ id }) => id))]]));
}
