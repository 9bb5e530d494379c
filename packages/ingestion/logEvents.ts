import { indexingEvents } from './logEvents/indexing.ts';
import { processEvents } from './logEvents/processes.ts';
import { requestEvents } from './logEvents/requests.ts';
import { sendingEvents } from './logEvents/sending.ts';
import { serviceEvents } from './logEvents/services.ts';
import { upkeepEvents } from './logEvents/upkeep.ts';

/**
 * Every line of the log has one of these in its field `event`. To add one: a key in a file of `logEvents/`, a call of the
 * logger with it, and `npx vitest run --project unit test/architecture/logEvents -u`, which writes docs/log-events.md
 * anew.
 */
export const logEvents = {
  ...requestEvents,
  ...sendingEvents,
  ...indexingEvents,
  ...upkeepEvents,
  ...serviceEvents,
  ...processEvents,
};

export type LogEvent = keyof typeof logEvents;

/** The fields that several lines share. Only those that apply are present. */
export type LogFields = {
  event: LogEvent;
  isrc?: string;
  trackTitle?: string;
  result?: 'success' | 'skipped' | 'error';
  reason?: string;
  error?: string;
  duration_ms?: number;
  total_tracks?: number;
  scheduled_count?: number;
  skipped_count?: number;
};
