import { type OutboxFilter, requestStatuses } from '@segue/outbox/operate/filter.ts';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { readMoment } from '../duration.ts';

/** The filters of `list` and of the actions, the same everywhere. */
export function addFilterOptions(command: Command, { status = true } = {}): Command {
  if (status)
    command.addOption(new Option('--status <status>', 'requests of this status').choices(requestStatuses));
  return command
    .option('--reason-is <reason>', 'settled for exactly this reason: duplicate')
    .option('--error <text>', 'refused with this text somewhere in the reason')
    .option('--isrc <isrc>', 'requests for this recording')
    .option('--text <text>', 'this text in title, artist or album')
    .option('--artist <name>', 'this artist')
    .option('--album <title>', 'this album')
    .option('--batch <id>', 'requests of this addition of an album (album_batch_id)', readCount)
    .option('--attempts <n>', 'refused so often at least', (text: string) => readCount(text, 9))
    .option('--waits', 'whose next attempt lies ahead')
    .option('--force-only', 'forced requests')
    .option('--since <when>', 'requested after: 2h (ago), or 2026-11-25T03:00:00Z', (text: string) =>
      readMoment(text),
    )
    .option('--until <when>', 'requested before', (text: string) => readMoment(text));
}

/** As commander gives them. */
export type GivenFilter = {
  status?: (typeof requestStatuses)[number];
  reasonIs?: string;
  error?: string;
  isrc?: string;
  text?: string;
  artist?: string;
  album?: string;
  batch?: number;
  attempts?: number;
  waits?: boolean;
  forceOnly?: boolean;
  since?: Date;
  until?: Date;
};

export function filterOf(given: GivenFilter): OutboxFilter {
  const { status, error, isrc, text, artist, album, attempts, waits } = given;
  return {
    status,
    reason: given.reasonIs,
    error,
    isrc,
    text,
    artist,
    album,
    albumBatchId: given.batch,
    attempts,
    waits,
    force: given.forceOnly,
    createdAfter: given.since,
    createdBefore: given.until,
  };
}

/** Whether any filter is given. */
export function isFiltered(given: GivenFilter): boolean {
  return Object.values(filterOf(given)).some(value => value !== undefined);
}

/**
 * @param digits at the most; 15 by default, of which JavaScript loses none
 * @throws InvalidArgumentError
 */
export function readCount(text: string, digits = 15): number {
  if (!/^\d+$/.test(text) || text.length > digits) {
    throw new InvalidArgumentError(`Give a whole number of at most ${digits} digits.`);
  }
  return Number(text);
}
