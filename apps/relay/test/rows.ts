import type { Isrc } from '@segue/ingestion/isrc.ts';
import type { OpenRow } from '@segue/outbox/row.ts';
import type { Sending } from '../steps/decide.ts';

let rows = 0;

/** A row as a read gives it, of a recording that no other row of the file asks for and that was never sent. */
export function openRow(given: Partial<OpenRow> = {}): OpenRow {
  const id = ++rows;
  return {
    id: String(id),
    slot: id % 32,
    isrc: `TESTS${String(id).padStart(7, '0')}` as Isrc,
    title: `Track ${id}`,
    artist: 'Miles Davis',
    album: 'Kind of Blue',
    artworkUrl: null,
    priority: 0,
    force: false,
    attempts: 0,
    requestedMs: Date.parse('2026-11-23T12:00:00.123Z'),
    availableAt: '2026-11-23 12:00:00.123456+00',
    requestId: null,
    traceparent: null,
    bytes: 40,
    generation: 0,
    isSent: false,
    ...given,
  };
}

/** The sending of one row alone, which no step has decided on. */
export function sendingOf(lead: OpenRow, given: Partial<Sending> = {}): Sending {
  return {
    isrc: lead.isrc,
    slot: lead.slot,
    force: lead.force,
    generation: lead.generation + 1,
    lead,
    others: [],
    gathered: [],
    outcome: { as: 'undecided' },
    ...given,
  };
}
