import { openJournal } from '../journal.ts';
import type { InboundEvent } from './inboundEvent.ts';

/** An event that the server has stored. */
export type ReceivedEvent = InboundEvent & {
  /** The server's ULID, which the sender gets back. */
  internalId: string;
  /** Milliseconds. */
  receivedAt: number;
  /** Whether it started a run: false for an id that was received before in the same 24 h. */
  startedRun: boolean;
};

export type EventLog = {
  /** Stores events, and writes them to the file, if there is one, before it returns. */
  publish(events: Omit<ReceivedEvent, 'startedRun'>[]): void;
  /** The latest events, in the order of their arrival. */
  events(): ReceivedEvent[];
  /** When the first of them was received, in ms since 1970; infinity when there is none. */
  oldest(): number;
  /** @returns what takes the listener out again */
  onEvent(listener: (event: ReceivedEvent) => void): () => void;
  close(): void;
};

const day = 24 * 60 * 60 * 1000;
/** About 80 MB of ids in each of two generations. */
const maxIdsPerGeneration = 500_000;

/**
 * Keeps the latest events, at least `capacity` of them and at most twice as many, in memory and, where a
 * file is named, in it. Their ids are known for 24 h from the first receipt, but only the last 500,000 to
 * 1,000,000 of them, and after a restart only those of the events that were kept.
 *
 * @throws an error naming the file, when it cannot be read
 */
export function openEventLog({ capacity, file }: { capacity: number; file?: string | undefined }): EventLog {
  const { written, journal } =
    file === undefined ? { written: [], journal: null } : openJournal<ReceivedEvent>(file);
  const kept = written.slice(-capacity);
  const firstReceipt = knownIds();
  for (const event of kept) if (event.startedRun) firstReceipt.remember(event.id, event.receivedAt);
  const listeners = new Set<(event: ReceivedEvent) => void>();

  return {
    publish(events) {
      const received = events.map(event => {
        const before = firstReceipt.of(event.id);
        const startedRun = before === undefined || event.receivedAt - before >= day;
        if (startedRun) firstReceipt.remember(event.id, event.receivedAt);
        return { ...event, startedRun };
      });
      kept.push(...received);
      journal?.append(received);
      if (kept.length > 2 * capacity) kept.splice(0, kept.length - capacity);
      if (journal !== null && journal.lines() > 2 * capacity) journal.rewrite(kept.slice(-capacity));
      for (const event of received) for (const listener of listeners) listener(event);
    },
    events: () => [...kept],
    oldest: () => kept[0]?.receivedAt ?? Number.POSITIVE_INFINITY,
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => journal?.close(),
  };
}

/**
 * Ids and when they were first received. The older half goes at once when there are too many: taking the
 * oldest out of a `Map` one by one costs a walk over the holes that the ones before it left.
 */
function knownIds() {
  let young = new Map<string, number>();
  let old = new Map<string, number>();
  return {
    of: (id: string) => young.get(id) ?? old.get(id),
    remember(id: string, at: number) {
      if (young.size >= maxIdsPerGeneration) {
        old = young;
        young = new Map();
      }
      young.set(id, at);
    },
  };
}
