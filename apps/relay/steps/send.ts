import { eventId, eventProblem, type IngestionEvent, ingestionRequested } from '@segue/ingestion/event.ts';
import type { Answer } from '../inngest/answer.ts';
import { newCanary, readCanaryAnswer } from '../inngest/canary.ts';
import { dispatch, inngestLimits } from '../inngest/dispatch.ts';
import type { EventSender } from '../inngest/eventSender.ts';
import type { TakenRow } from './dropDuplicates.ts';

export type Refusal = {
  row: TakenRow;
  error: string;
  /** No further attempt can change it: the row makes no valid event. */
  final: boolean;
};

export type Sent = {
  accepted: TakenRow[];
  refused: Refusal[];
  /** To be sent again under the same id, without an attempt being counted. */
  unsent: TakenRow[];
  outage?: Extract<Answer, { kind: 'unavailable' }>;
  /** What is unsent is so because the batch has had all its calls. */
  outOfCalls?: true;
};

export type SendDependencies = {
  sender: EventSender;
  /** How long a call may take that begins now, in ms; 0: none may begin. */
  callTimeMs: () => number;
  /** Aborted: the call under way is given up. */
  givingUp: AbortSignal;
  /** Called for each call that was not accepted. */
  onFailedCall: (error: string, durationMs: number) => void;
};

/** One call may take so long; a hanging Inngest is found out well within a lease of 30 s. */
const longestCallMs = 8_000;

/** Sends one event for each row, all in one call unless the limits of Inngest or a refused event forbid it. */
export async function send(
  rows: TakenRow[],
  { sender, callTimeMs, givingUp, onFailedCall }: SendDependencies,
): Promise<Sent> {
  const refused: Refusal[] = [];
  const sendable: { row: TakenRow; event: IngestionEvent }[] = [];
  for (const row of rows) {
    const event = eventOf(row);
    const problem = eventProblem(event.data);
    if (problem === null) sendable.push({ row, event });
    else refused.push({ row, error: `it makes no valid event: ${problem}`, final: true });
  }

  const call = async <Read extends Answer>(
    events: Parameters<EventSender>[0],
    read: (answer: Answer) => Read,
  ): Promise<Read | null> => {
    const timeoutMs = Math.min(longestCallMs, callTimeMs());
    if (timeoutMs === 0) return null;
    const began = performance.now();
    const answer = read(await sender(events, { timeoutMs, signal: givingUp }));
    if (answer.kind !== 'accepted') onFailedCall(answer.error, performance.now() - began);
    return answer;
  };
  const result = await dispatch(
    sendable.map(({ event }) => sizeBound(event)),
    inngestLimits,
    {
      post(start, end) {
        const events = sendable.slice(start, end).map(({ event }) => event);
        return call(events, answer => answer);
      },
      canary: () => call([newCanary()], readCanaryAnswer),
    },
  );
  const rowAt = (index: number) => (sendable[index] as { row: TakenRow }).row;
  return {
    accepted: result.accepted.map(rowAt),
    refused: [
      ...refused,
      ...result.refused.map(({ index, error }) => ({ row: rowAt(index), error, final: false })),
    ],
    unsent: result.unsent.map(rowAt),
    ...(result.outage ? { outage: result.outage } : {}),
    ...(result.outOfCalls ? { outOfCalls: true } : {}),
  };
}

/**
 * The event of a row. The same row always makes the same event, to the byte, so that a repeated send carries
 * nothing new under a known id. `ts` is the moment of the request on the database's clock: left to the SDK it
 * would be this machine's, and one that is an hour fast would delay every run by an hour.
 */
export function eventOf(row: TakenRow): IngestionEvent {
  return {
    id: eventId(row.isrc, row.generation),
    name: ingestionRequested,
    ts: Date.parse(row.createdAt),
    data: {
      isrc: row.isrc,
      title: row.title,
      artist: row.artist,
      album: row.album,
      ...(row.artworkUrl ? { artworkUrl: row.artworkUrl } : {}),
      priority: row.priority,
      force: row.force,
    },
  };
}

/**
 * An upper bound of an event's bytes, without writing it: JSON takes at most 6 bytes for a UTF-16 unit
 * (`\u0000`), and the rest of an event is under 512.
 */
function sizeBound({ data }: IngestionEvent): number {
  const characters =
    data.title.length + data.artist.length + data.album.length + (data.artworkUrl?.length ?? 0);
  return 512 + 6 * characters;
}
