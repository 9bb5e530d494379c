import { expect, test } from 'vitest';
import { cancelledByHand, untouched } from './hands.ts';
import { type AcceptedEvent, type Addition, type Outcome, type Row, violations } from './model.ts';

const isrc = 'QZNEW0000001';

function addition(title: string, given: Partial<Addition> = {}): Addition {
  return { title, isrc, force: false, window: 0, confirmed: true, ...given };
}

function row(title: string, given: Partial<Row> = {}): Row {
  const fields = {
    isrc,
    artist: 'Miles Davis',
    album: 'Kind of Blue',
    force: false,
    reason: null,
    settled: true,
  };
  return { title, ...fields, status: 'scheduled', generation: 1, ...given };
}

const duplicate = { status: 'skipped', reason: 'duplicate', generation: null };

function event(of: Row, generation = of.generation): AcceptedEvent {
  const { title, artist, album, force } = of;
  const data = { isrc: of.isrc, title, artist, album, force };
  return { id: `track-ingestion:${of.isrc}:${generation}`, name: 'requested', ts: 1, data };
}

/** One recording that was added twice: sent for the first, and not for the second. */
function allIsWell(): Outcome {
  const first = row('first');
  return {
    additions: [addition('first'), addition('second')],
    rows: [first, row('second', duplicate)],
    events: [event(first)],
    ledger: [{ isrc, generation: 1, sent: true }],
    albums: [{ id: 1, total: 2, counted: 2, settled: 2 }],
    isIndexed: () => false,
    isRefused: () => false,
    touched: untouched(),
  };
}

test('an outcome in which all is well violates nothing', () => {
  expect(violations(allIsWell())).toEqual([]);
});

type Change = (outcome: Outcome) => unknown;

/** Changes one thing of a list. */
const change =
  (list: 'additions' | 'rows' | 'events' | 'ledger' | 'albums', index: number, change: object): Change =>
  outcome =>
    Object.assign(outcome[list][index] as object, change);

test.each<[string, string, Change]>([
  ['an addition without a row', 'R1, R2', ({ rows }) => rows.pop()],
  ['an addition with two rows', 'R1, R2', ({ rows }) => rows.push(row('second', duplicate))],
  ['a row for an addition without an ISRC', 'R1, R2', change('additions', 1, { isrc: null })],
  ['a row of nobody', 'R2', ({ additions }) => additions.pop()],
  ['a row that is not settled', 'R1', change('rows', 0, { settled: false })],
  ['a row that is pending', 'R1', change('rows', 1, { status: 'pending' })],
  ['an event that is missing', 'R1', ({ events }) => events.pop()],
  ['an event of a duplicate', 'R5', ({ events, rows }) => events.push(event(rows[1] as Row, 2))],
  ['two events of one row', 'R1', ({ events, rows }) => events.push(event(rows[0] as Row, 2))],
  ['a skipped recording that is not indexed', 'R1', change('rows', 1, { reason: 'already_indexed' })],
  ['a dead row of a recording that is not refused', 'R1', change('rows', 1, { status: 'dead' })],
  [
    'a forced row that a plain event has answered',
    'R1',
    ({ rows, events, additions }) => {
      Object.assign(additions[1] as object, { force: true });
      Object.assign(rows[1] as Row, { status: 'scheduled', reason: null, generation: 1, force: true });
      events.push(event(rows[1] as Row, 1));
    },
  ],
  ['a forced row that is skipped', 'R1', change('rows', 1, { force: true })],
  [
    'duplicates of nothing',
    'R1',
    outcome => {
      change('rows', 0, duplicate)(outcome);
      outcome.events.pop();
    },
  ],
  ['an event that says something else', 'R3', change('events', 0, { data: { title: 'first', isrc: 'X' } })],
  ['an event under another generation', 'R1', change('events', 0, { id: `track-ingestion:${isrc}:2` })],
  ['a second event in a window', 'R5', outcome => sendTheSecond(outcome)],
  ['a ledger that has forgotten', 'R5', ({ ledger }) => ledger.pop()],
  ['a ledger that is behind', 'R5', change('ledger', 0, { generation: 0 })],
  ['a ledger that says unsent', 'R5', change('ledger', 0, { sent: false })],
  ['an id with two meanings', 'R6', ({ events, rows }) => events.push({ ...event(rows[0] as Row), ts: 2 })],
  ['a generation that is used again', 'R6', outcome => sendTheSecond(outcome, { window: 1 }, 1)],
  ['an album that was counted twice', 'album', change('albums', 0, { counted: 3 })],
  ['a row that is cancelled, and nobody did it', 'R1', change('rows', 1, { reason: cancelledByHand })],
  [
    'a duplicate of a request that was removed before it was sent',
    'R1',
    ({ rows, events, ledger, touched }) => {
      remove(rows, touched);
      events.pop();
      ledger.pop();
    },
  ],
  [
    'a request that was removed, and sent with what nobody asked for',
    'R3',
    ({ rows, events, touched }) => {
      remove(rows, touched);
      Object.assign(events[0]?.data as object, { artist: 'Nobody' });
    },
  ],
])('%s is noticed', (_, rule, spoil) => {
  const outcome = allIsWell();
  spoil(outcome);
  expect(violations(outcome).map(sentence => sentence.slice(0, rule.length))).toContain(rule);
});

/** The first row was sent, and its relay died before it had written that down; the next one found it in the index. */
function findTheFirst(outcome: Outcome): void {
  Object.assign(outcome, { isIndexed: () => true });
  change('rows', 0, { status: 'skipped', reason: 'already_indexed', generation: null })(outcome);
}

test.each<[string, Change]>([
  [
    'an addition whose commit was never confirmed',
    ({ additions }) => additions.push(addition('third', { confirmed: false })),
  ],
  ['an addition without an ISRC', ({ additions }) => additions.push(addition('third', { isrc: null }))],
  ['an event that was sent again', ({ events, rows }) => events.push(event(rows[0] as Row))],
  ['a second event after the window', outcome => sendTheSecond(outcome, { window: 1 })],
  ['a second event that is forced', outcome => sendTheSecond(outcome, { force: true })],
  ['a generation that was used up by a dead row', outcome => sendTheSecond(outcome, { window: 1 }, 3)],
  ['a sent row that its second relay found in the index', findTheFirst],
  [
    'a sent row that its second relay found in the index, and the next that was sent while the index could not be asked',
    outcome => {
      findTheFirst(outcome);
      sendTheSecond(outcome);
    },
  ],
  ['a request that was removed after it was sent', ({ rows, touched }) => remove(rows, touched)],
  [
    'a request that was removed, and its sending never heard of: the next window has its id again',
    outcome => {
      sendTheSecond(outcome, { window: 1 }, 1);
      remove(outcome.rows, outcome.touched);
    },
  ],
  [
    'a request that was cancelled while it was sent',
    ({ rows, touched }) => {
      touched.cancelled.add('first');
      Object.assign(rows[0] as Row, { status: 'skipped', reason: cancelledByHand, generation: null });
    },
  ],
  [
    'a request that got another ISRC after it was sent',
    ({ rows, events, ledger, touched }) => {
      touched.formerIsrcs.set('first', [isrc]);
      const corrected = Object.assign(rows[0] as Row, { isrc: 'QZNEW0000002' });
      events.push(event(corrected));
      ledger.push({ isrc: corrected.isrc, generation: 1, sent: true });
    },
  ],
  [
    'an album that somebody has touched',
    outcome => {
      outcome.touched.albums.add(1);
      change('albums', 0, { counted: 3 })(outcome);
    },
  ],
])('%s is fine', (_, alter) => {
  const outcome = allIsWell();
  alter(outcome);
  expect(violations(outcome)).toEqual([]);
});

/** Deletes the first row. */
function remove(rows: Row[], touched: Outcome['touched']): void {
  const [row] = rows.splice(0, 1) as [Row];
  touched.removed.set(row.title, row);
}

function sendTheSecond(
  outcome: Outcome,
  how: { window?: number; force?: boolean } = {},
  generation = 2,
): void {
  const { window = 0, force = false } = how;
  const second = row('second', { generation, force });
  outcome.additions[1] = addition('second', { window, force });
  outcome.rows[1] = second;
  outcome.events.push(event(second));
  Object.assign(outcome.ledger[0] as object, { generation });
}
