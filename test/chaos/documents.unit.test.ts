import { hashIsrcToUuid } from '@segue/ingestion/pointId.ts';
import { expect, test } from 'vitest';
import { documentViolations, type WorkerOutcome, type WorkerRun } from './documents.ts';
import type { AcceptedEvent } from './model.ts';

const [first, second] = ['QZNEW0000001', 'QZNEW0000002'] as const;
const eventId = (isrc: string) => `track-ingestion:${isrc}:1`;
const requested = (isrc: string): AcceptedEvent => {
  return { id: eventId(isrc), name: 'requested', ts: 1, data: { isrc } };
};
const run = (isrc: string, status = 'Completed'): WorkerRun => {
  return { id: `run of ${isrc}`, eventId: eventId(isrc), isrc, status };
};
const told = (runId: string, id = `told of ${runId}`): AcceptedEvent => {
  return { id, name: 'told', ts: 1, data: { runId } };
};

/** One recording that was indexed, and one that was not for a reason that is told. */
function allIsWell(): WorkerOutcome {
  return {
    requested: [requested(first), requested(second)],
    runs: [run(first), run(second, 'Failed')],
    points: [hashIsrcToUuid(first)],
    completed: [told('run of QZNEW0000001')],
    failed: [told('run of QZNEW0000002')],
    untold: [],
  };
}

test('an outcome in which all is well violates nothing', () => {
  expect(documentViolations(allIsWell())).toEqual([]);
});

test.each<[string, (outcome: WorkerOutcome) => unknown]>([
  ['an event that was sent again', ({ requested: events }) => events.push(requested(first))],
  ['a completion that was sent again', ({ completed }) => completed.push(told('run of QZNEW0000001'))],
  [
    'a failure that its failure function failed to tell of',
    ({ failed, untold }) => {
      failed.pop();
      untold.push('run of QZNEW0000002');
    },
  ],
  ['a document of a run that failed afterwards', ({ points }) => points.push(hashIsrcToUuid(second))],
])('%s is fine', (_, change) => {
  const outcome = allIsWell();
  change(outcome);
  expect(documentViolations(outcome)).toEqual([]);
});

test.each<[string, RegExp, (outcome: WorkerOutcome) => unknown]>([
  ['an event without a run', /has 0 runs/, ({ runs }) => runs.pop()],
  ['an event with two runs', /has 2 runs/, ({ runs }) => runs.push({ ...run(first), id: 'another' })],
  [
    'a run that does not end',
    /is Running$/,
    ({ runs }) => Object.assign(runs[1] as object, { status: 'Running' }),
  ],
  ['a failure that nobody tells of', /no event tells of it/, ({ failed }) => failed.pop()],
  ['a document that is missing', /is not there/, ({ points }) => points.pop()],
  [
    'a document of nobody',
    /nobody asked/,
    ({ points }) => points.push('5fd78b1e-0573-3677-91d0-56197cc6f1f7'),
  ],
  ['a document that is there twice', /there twice/, ({ points }) => points.push(hashIsrcToUuid(first))],
  [
    'a completion under two ids',
    /under 2 ids/,
    ({ completed }) => completed.push(told('run of QZNEW0000001', 'another')),
  ],
])('%s is found', (_, sentence, change) => {
  const outcome = allIsWell();
  change(outcome);
  expect(documentViolations(outcome)).toEqual([expect.stringMatching(sentence)]);
});
