import { longestAlone } from '@segue/outbox/operate/cut.ts';
import type {
  RecordingAction,
  RecordingHolder,
  RecordingRequest,
  RecordingStory,
} from '@segue/outbox/operate/recording.ts';
import type { IconName } from './icons.ts';
import { isolated } from './isolated.ts';
import { html, type Markup, nothing } from './markup.ts';
import { moment, plural } from './words.ts';

/** One line of a recording's timeline. */
export type Happening = {
  /** ISO text; null for what is so now. */
  at: string | null;
  shape: IconName;
  what: Markup;
};

/**
 * Tells what happened to a recording, the oldest first, and then how it stands now. It says what the database keeps: a
 * relay writes nothing when it reads a request or asks the index, so neither has a line of its own.
 */
export function timelineOf(story: RecordingStory): Happening[] {
  const { requests, sentAt, indexedAt, deadReason, lost, actions } = story;
  const past = [
    ...requests.flatMap(request => pastOf(request, story)),
    ...(sentAt !== null && !requests.some(({ status }) => status === 'scheduled')
      ? [line(sentAt, 'sent', html`Inngest accepted an event. The request for it is no longer kept.`)]
      : []),
    ...(indexedAt === null ? [] : [line(indexedAt, 'index', html`A relay saw the recording in the index.`)]),
    ...actions.map(action =>
      line(
        action.at,
        'person',
        html`${isolated(action.actor)}: ${actionLink(action)}, “${isolated(action.reason, longestAlone)}”`,
      ),
    ),
  ];
  const now = requests.flatMap(request => (request.status === 'pending' ? nowOf(request, story) : []));
  const isSent = sentAt !== null && (indexedAt === null || indexedAt < sentAt);
  if (isSent && deadReason === null) {
    now.push({
      at: null,
      shape: 'unknown',
      what: html`No relay has seen it in the index since it was sent.`,
    });
  }
  if (lost !== null) {
    now.push({
      at: null,
      shape: 'warning',
      what: html`It was sent and did not reach the index, and was requested anew ${plural(lost.times, 'time')}.`,
    });
  }
  return [...past.sort((a, b) => Date.parse(a.at as string) - Date.parse(b.at as string)), ...now];
}

function line(at: string | Date, shape: IconName, what: Markup): Happening {
  return { at: typeof at === 'string' ? at : at.toISOString(), shape, what };
}

function pastOf(request: RecordingRequest, story: RecordingStory): Happening[] {
  const {
    id,
    requested_at: requestedAt,
    decided_at: decidedAt,
    request_id: answer,
    force,
    priority,
  } = request;
  const made = html`Request ${id} was made ${originOf(request, story)}${
    answer === null ? nothing : html`, by the API's answer <span class="code">${isolated(answer)}</span>`
  }${force ? ', forced' : ''}${priority === 0 ? '' : `, priority ${priority}`}.`;
  const requested = line(requestedAt, 'waiting', made);
  return decidedAt === null ? [requested] : [requested, line(decidedAt, ...decisionOf(request))];
}

/** For what a request was made: an album, a single track, or by one of the safety nets. */
function originOf(
  request: RecordingRequest,
  { lost, album, title, actions, requests }: RecordingStory,
): Markup {
  const { album_batch_id: batch, requested_at: at, request_id: answer, priority } = request;
  if (batch !== null) {
    return html`for the album ${album === null ? nothing : html`“${isolated(album)}”, `}<a href="/console/albums/${batch}">album request ${batch}</a>`;
  }
  // Written in one transaction, so that the moments are the same.
  if (lost?.lastAt === at) return html`anew by a relay, since the recording had not reached the index`;
  const netted = answer === null && priority === lowestPriority;
  const net = netted ? actions.find(action => ['backfill', 'reindex'].includes(action.action)) : undefined;
  if (net !== undefined) return html`by the ${actionLink(net)} of ${isolated(net.actor)}`;
  if (netted && requests.some(other => other.status === 'scheduled' && other.id < request.id)) {
    return html`anew with the lowest priority, as a relay does for a recording that had not reached the index`;
  }
  return html`for a single track${title === null ? nothing : html`, “${isolated(title)}”`}`;
}

/** Of what a safety net requests: behind all that people add. */
const lowestPriority = -600;

function decisionOf(request: RecordingRequest): [IconName, Markup] {
  const { id, status, reason, event_id: event, attempts, last_error: lastError, force } = request;
  const refused = attempts === 0 ? '' : html`, after ${refusals(attempts, lastError)}`;
  if (status === 'scheduled') {
    const asked = force
      ? 'It was forced, so the index was not asked.'
      : 'The index did not have it, or could not be asked.';
    return [
      'sent',
      html`Inngest accepted the event for request ${id}${event === null ? nothing : html`, <span class="code">${isolated(event, longestAlone)}</span>`}${refused}. ${asked}`,
    ];
  }
  if (status === 'dead') {
    // What refused a request the last time is why it is dead.
    const times =
      attempts === 0 ? '' : html`, after ${refusals(attempts, lastError === reason ? null : lastError)}`;
    return [
      'failure',
      html`Request ${id} was set aside as dead${times}: ${isolated(reason ?? 'no reason', longestAlone)}.`,
    ];
  }
  const why =
    skipReasons[reason ?? ''] ??
    html`${isolated((reason ?? 'no reason').replaceAll('_', ' '), longestAlone)}.`;
  return ['skipped', html`Request ${id} was skipped${refused}: ${why}`];
}

const skipReasons: Record<string, string> = {
  already_indexed: 'the index had the recording already.',
  duplicate: 'an event for the recording had been sent within the dedupe window.',
  discarded: 'somebody had discarded it.',
};

function nowOf(
  { id, attempts, last_error: lastError, next_attempt_at: next }: RecordingRequest,
  story: RecordingStory,
): Happening[] {
  const now: Happening[] = [];
  if (attempts > 0 || lastError !== null) {
    now.push({
      at: null,
      shape: 'warning',
      what: html`Request ${id} has had ${refusals(attempts, lastError)}.`,
    });
  }
  const later = next !== null && Date.parse(next) > Date.now();
  now.push({
    at: null,
    shape: 'waiting',
    what: html`Request ${id} waits${later ? html` for its next attempt at ${moment(next)}` : nothing}, ${holderWords(story.holder)}.`,
  });
  return now;
}

/** Who works on what is open of a recording. */
function holderWords(holder: RecordingHolder | null): Markup {
  if (holder === null) return html`and no relay has its slot`;
  const { host, takenAt, leaseEnded } = holder;
  const since = takenAt === null ? nothing : html` since ${moment(takenAt)}`;
  return leaseEnded
    ? html`and the relay on ${isolated(host)}, which had its slot${since}, has let the lease end`
    : html`with the relay on ${isolated(host)}, which has its slot${since}`;
}

/** `3 refusals, the last “422: title too long”`. */
function refusals(attempts: number, lastError: string | null): Markup {
  return html`${plural(attempts, 'refusal')}${lastError === null ? '' : html`, the last “${isolated(lastError, longestAlone)}”`}`;
}

function actionLink({ id, action }: RecordingAction): Markup {
  return html`<a href="/console/actions/${id}">${isolated(action.replaceAll('_', ' '))}</a>`;
}
