import { hashIsrcToUuid } from '@segue/ingestion/pointId.ts';
import type { AcceptedEvent } from './model.ts';

/** One run of `track-ingestion`, for one event. */
export type WorkerRun = { id: string; eventId: string; isrc: string; status: string };

/** What the worker has made of the events, once no run is under way. */
export type WorkerOutcome = {
  /** What Inngest has accepted and that asks for a recording, each time that it did. */
  requested: AcceptedEvent[];
  runs: WorkerRun[];
  /** Ids of the points that the worker has written. */
  points: string[];
  /** Events that the worker has sent of runs that ended, each time that it did. */
  completed: AcceptedEvent[];
  failed: AcceptedEvent[];
  /**
   * Runs that failed and whose failure function has failed, too: the SDK gives it one retry (`InngestFunction`), so a worker
   * that is killed twice meanwhile tells of nothing. Inngest shows both runs as failed.
   */
  untold: string[];
};

/**
 * From the event to the document: each event has one run; each run ends, with the recording in the index or with an
 * event that says why not; nothing else is in the index.
 *
 * @returns a sentence for each thing that is wrong
 */
export function documentViolations(outcome: WorkerOutcome): string[] {
  const rules = [oneRunEach, eachEnded, documentsOfRuns, oneCompletionEach];
  return rules.flatMap(rule => [...rule(outcome)]);
}

function* oneRunEach({ requested, runs }: WorkerOutcome) {
  const runsOf = Map.groupBy(runs, run => run.eventId);
  for (const id of new Set(requested.map(event => event.id))) {
    const count = runsOf.get(id)?.length ?? 0;
    if (count !== 1) yield `worker: ${id} has ${count} runs`;
  }
}

function* eachEnded({ runs, failed, untold }: WorkerOutcome) {
  const told = new Set([...failed.map(({ data }) => data?.runId), ...untold]);
  for (const { id, eventId, status } of runs) {
    if (status === 'Completed' || (status === 'Failed' && told.has(id))) continue;
    yield `worker: the run of ${eventId} is ${status}${status === 'Failed' ? ', and no event tells of it' : ''}`;
  }
}

function* documentsOfRuns({ runs, points }: WorkerOutcome) {
  const idsOf = (list: WorkerRun[]) => new Set(list.map(({ isrc }) => hashIsrcToUuid(isrc)));
  const owed = idsOf(runs.filter(({ status }) => status === 'Completed'));
  // A run that failed in its last step has written its document.
  const possible = idsOf(runs);
  const there = new Set(points);
  for (const id of owed)
    if (!there.has(id)) yield `worker: a run is completed, and its document ${id} is not there`;
  for (const id of points) if (!possible.has(id)) yield `worker: nobody asked for the document ${id}`;
  if (there.size < points.length) yield `worker: ${points.length - there.size} documents are there twice`;
}

/** A repeated sending has the same id, which starts nothing twice. */
function* oneCompletionEach({ completed }: WorkerOutcome) {
  for (const [runId, told] of Map.groupBy(completed, ({ data }) => data?.runId)) {
    const ids = new Set(told.map(({ id }) => id));
    if (ids.size > 1) yield `worker: the run ${runId} is told of under ${ids.size} ids`;
  }
}
