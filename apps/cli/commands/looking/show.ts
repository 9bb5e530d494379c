import { cut, longestInLists } from '@segue/outbox/operate/cut.ts';
import { type RecordingStory, readRecording } from '@segue/outbox/operate/recording.ts';
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { Failure } from '../../exitCode.ts';

/** `show <isrc>`: the whole story of a recording. */
export function addShow(program: Command, context: Context): void {
  program
    .command('show')
    .description('tell the whole story of a recording: who asked, what was decided, when, why')
    .argument('<isrc>', 'its ISRC, with or without hyphens')
    .action((isrc: string) => show(isrc, context));
}

async function show(isrc: string, context: Context): Promise<void> {
  const { output } = context;
  const story = await context.withDatabase(sql => readRecording(sql, isrc));
  if (story === null) throw new Failure(`nothing is known of ${isrc}: it was never requested, or is no ISRC`);
  const { state } = story;
  // A recording can have died of a text of megabytes.
  const [title, artist, album] = [story.title, story.artist, story.album].map(
    text => text && cut(text, longestInLists),
  );
  output.print(
    `${story.isrc}  ${title === null ? '(its requests are no longer kept)' : `${title} – ${artist} (${album})`}`,
    `${output.style(state === 'failed' ? 'red' : 'bold', state)}${story.deadReason ? `: ${story.deadReason}` : ''}`,
    `slot ${story.slot}, ${story.heldByHost === null ? 'held by no relay' : `held by the relay on ${story.heldByHost}`}`,
    '',
    ...timeline(story),
  );
  output.document(story);
}

/** What happened, in its order. */
export function timeline(story: RecordingStory): string[] {
  const events: { at: string; what: string }[] = [];
  const add = (at: string | Date | null, what: string) => {
    if (at !== null) events.push({ at: (at instanceof Date ? at : new Date(at)).toISOString(), what });
  };
  for (const request of story.requests) {
    const { id, attempts, last_error: error } = request;
    const forced = request.force ? ', forced' : '';
    const asked = request.request_id ? ` by the API's request ${request.request_id}` : '';
    add(request.requested_at, `request ${id}: made${asked}${forced}`);
    if (request.decided_at !== null) add(request.decided_at, `request ${id}: ${decision(request)}`);
    if (request.decided_at === null && error !== null) {
      add(request.next_attempt_at, `request ${id}: next attempt, after ${attempts} refusals (${error})`);
    }
  }
  add(story.sentAt, `ledger: sent${story.lastEventId ? ` as ${story.lastEventId}` : ''}`);
  add(story.indexedAt, 'ledger: seen in the index');
  for (const { at, action, actor, reason, rows } of story.actions) {
    add(at, `${action} by ${actor} (${rows} rows): ${reason}`);
  }
  return events.sort((a, b) => a.at.localeCompare(b.at)).map(({ at, what }) => `${at}  ${what}`);
}

function decision({
  status,
  reason,
  event_id: eventId,
  attempts,
}: RecordingStory['requests'][number]): string {
  if (status === 'scheduled') return `sent to Inngest as ${eventId ?? 'an event'}`;
  if (status === 'skipped') return `skipped, ${reason ?? 'without a reason'}`;
  if (status === 'dead') return `dead after ${attempts} attempts: ${reason ?? 'without a reason'}`;
  return status;
}
