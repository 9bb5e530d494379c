import { type AnswerWith, installFaults } from '../faults.ts';
import { type Address, bareServer, bodyOf, listen, type RunningServer, sendJson } from '../server.ts';
import { eventIds, readSeed, runIdOf } from './eventIds.ts';
import { type EventLog, openEventLog, type ReceivedEvent } from './eventLog.ts';
import { readEvents } from './eventStream.ts';
import { RefusedEvent, readInbound } from './inboundEvent.ts';

export type InngestOptions = Address & {
  /** The one key that is accepted. Without it any is, as on a Dev Server. */
  eventKey?: string;
  /** JSON lines; what was received is still there after a restart. */
  file?: string;
  /** Events kept at the least; at the most twice as many. */
  capacity?: number;
};

export type InngestStandIn = RunningServer &
  Pick<EventLog, 'events' | 'onEvent'> & {
    answerWith: AnswerWith;
  };

/**
 * Starts the event API of the Inngest Dev Server (read in v1.43 and its successors): `POST /e/{key}`,
 * `GET /health`, `GET /v1/events`, `GET /v1/events/{ULID}/runs`.
 *
 * It knows no app and calls none. Runs are reported as if one function listened to every event: a run is
 * `Scheduled`, and a second event of the same id within 24 h starts none. Unlike the Dev Server it takes at
 * most 16 MiB a request (413, as a proxy in front of it would say), remembers ids over a restart when it has
 * a file, and answers about runs afresh, where the Dev Server's answer may be 15 s old.
 *
 * @throws `EADDRINUSE` when the port is taken; an error naming the file when that cannot be read
 */
export async function startInngest(options: InngestOptions = {}): Promise<InngestStandIn> {
  const app = bareServer(16 * 1024 * 1024);
  const log = openEventLog({ capacity: options.capacity ?? 10_000, file: options.file });
  app.addHook('onClose', async () => log.close());
  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('x-inngest-server-kind', 'dev');
    done();
  });
  const answerWith = installFaults(app);

  app.get('/health', (_request, reply) => {
    sendJson(reply, { status: 200, message: 'OK' });
  });

  app.post<{ Params: { key: string } }>('/e/:key', (request, reply) => {
    if (options.eventKey !== undefined && request.params.key !== options.eventKey) {
      sendJson(reply.code(401), { status: 401, message: '', error: 'Event key not found' });
      return;
    }
    const answer = receive(bodyOf(request), request.headers['x-inngest-event-id-seed'], log);
    // The server names no type here, and Go then takes it for text.
    sendJson(reply.code(answer.status), answer, 'text/plain; charset=utf-8');
  });

  app.get<{ Querystring: EventsQuery }>('/v1/events', (request, reply) => {
    const rows = latestEvents(log.events(), request.query).map(toRow);
    sendJson(reply, dataAnswer(rows));
  });

  app.get<{ Params: { id: string } }>('/v1/events/:id/runs', (request, reply) => {
    const { id } = request.params;
    if (id.length !== 26) {
      sendJson(reply.code(400), { error: `Invalid event ID: ${id}`, data: null, status: 400 });
      return;
    }
    const started = log.events().filter(event => event.internalId === id.toUpperCase() && event.startedRun);
    sendJson(reply.header('cache-control', 'private, max-age=15'), dataAnswer(started.map(toRun)));
  });

  app.setNotFoundHandler((_request, reply) => {
    reply.code(404).type('text/plain; charset=utf-8').send('404 page not found\n');
  });

  const server = await listen(app, options);
  return { ...server, events: log.events, onEvent: log.onEvent, answerWith };
}

type EventsAnswer = { ids: string[]; status: 200 | 400; error?: string };

/**
 * Takes the events in up to the first bad one: those before it are published and their ids named, those
 * after it are dropped. There is always one id, an empty one where there is none.
 */
function receive(body: Buffer, seed: string | string[] | undefined, log: EventLog): EventsAnswer {
  const now = Date.now();
  const idAt = eventIds(readSeed(seed));
  const accepted: Omit<ReceivedEvent, 'startedRun'>[] = [];
  let error: string | undefined;
  try {
    for (const raw of readEvents(body)) {
      const inbound = readInbound(raw, now);
      const internalId = idAt(accepted.length + 1);
      accepted.push({ ...inbound, id: inbound.id || internalId, internalId, receivedAt: now });
    }
  } catch (problem) {
    if (!(problem instanceof RefusedEvent)) throw problem;
    error = problem.message;
  }
  log.publish(accepted);
  const ids = accepted.length === 0 ? [''] : accepted.map(event => event.internalId);
  return error === undefined ? { ids, status: 200 } : { ids, status: 400, error };
}

type EventsQuery = { name?: string; limit?: string; cursor?: string };

/** Newest first by internal id, 20 where no limit is given and never more than 51, as the server has it. */
function latestEvents(events: ReceivedEvent[], { name, limit, cursor }: EventsQuery): ReceivedEvent[] {
  const most = Math.min(Math.max(Math.trunc(Number(limit)) || 20, 1), 51);
  return events
    .filter(event => (!name || event.name === name) && (!cursor || event.internalId < cursor))
    .sort((one, other) => (one.internalId < other.internalId ? 1 : -1))
    .slice(0, most);
}

function dataAnswer(data: unknown) {
  return { data, metadata: { fetched_at: new Date().toISOString() } };
}

const noId = '00000000-0000-0000-0000-000000000000';

function toRow(event: ReceivedEvent) {
  const { internalId, receivedAt, startedRun, ...sent } = event;
  return {
    internal_id: internalId,
    account_id: noId,
    environment_id: noId,
    source: '',
    source_id: null,
    received_at: new Date(receivedAt).toISOString(),
    ...sent,
  };
}

function toRun({ internalId, receivedAt }: ReceivedEvent) {
  return {
    run_id: runIdOf(internalId),
    run_started_at: new Date(receivedAt).toISOString(),
    function_id: noId,
    function_version: 1,
    environment_id: noId,
    event_id: internalId,
    status: 'Scheduled',
    ended_at: null,
  };
}
