import { type AnswerWith, installFaults } from '../faults.ts';
import { type Address, bareServer, bodyOf, listen, type RunningServer, sendJson } from '../server.ts';
import { eventIds, readSeed, runIdOf } from './eventIds.ts';
import { type EventLog, openEventLog, type ReceivedEvent } from './eventLog.ts';
import { readEvents } from './eventStream.ts';
import { type InboundEvent, RefusedEvent, readInbound } from './inboundEvent.ts';
import { type RegisteredFunction, readRegistration } from './runs/functions.ts';
import { hasEnded, newRun, type Run } from './runs/run.ts';
import { openRunLog } from './runs/runLog.ts';
import { startScheduler } from './runs/scheduler.ts';
import { hashSigningKey } from './signature.ts';

export type InngestOptions = Address & {
  /** The one key that is accepted. Without it any is, as on a Dev Server. */
  eventKey?: string;
  /**
   * Of a server in cloud mode: apps must show its hash to register, and each call to a function is signed with it.
   * Without it the server is a Dev Server, which checks and signs nothing.
   */
  signingKey?: string;
  /** JSON lines; what was received is still there after a restart. Runs are in a second file, `{file}.runs`. */
  file?: string;
  /** Before the next attempt of a step, in ms; `failures` so far, from 1. By default {@link patience}. */
  retryDelayMs?: (failures: number) => number;
  /** Events kept at the least; at the most twice as many. */
  capacity?: number;
};

export type InngestStandIn = RunningServer &
  Pick<EventLog, 'events' | 'onEvent'> & {
    answerWith: AnswerWith;
    /**
     * Loses accepted events from now on, without a word: those that `isLost` says are answered with an id, and neither
     * kept nor run. Null: none.
     */
    loseEvents(isLost: ((event: InboundEvent) => boolean) | null): void;
    /** Those of all apps. */
    functions(): RegisteredFunction[];
    /** All runs that are known, in the order of their start. */
    runs(): Run[];
  };

/**
 * Waits between attempts, in ms. The server's are 15 s, 30 s, 1, 2 and 5 min: here the first are shorter, since
 * somebody watches, and the sum is the same, so that an outage may last as long.
 */
const patienceMs = [1_000, 5_000, 30_000, 120_000, 360_000];

function patience(failures: number): number {
  return patienceMs[failures - 1] ?? 360_000;
}

/**
 * Starts what our processes need of the Inngest Dev Server (read in v1.43 and its successors): `POST /e/{key}`,
 * `POST /fn/register`, `GET /health`, `GET /v1/events`, `GET /v1/events/{ULID}/runs`, `GET /v1/runs/{ULID}`; and runs
 * the functions that apps register, over the SDK's protocol.
 *
 * A second event of the same id within 24 h starts no run. Steps, retries, concurrency, priorities and failure
 * functions are as the server has them; throttles, rate limits, sleeps and waits are not offered. Unlike the Dev
 * Server it takes at most 16 MiB a request (413, as a proxy in front of it would say); remembers ids, apps and runs
 * over a restart when it has a file; answers about runs afresh, where the Dev Server's answer may be 15 s old; and
 * keeps an event that no function listens to, `Scheduled`, until one does, where the Dev Server drops it.
 *
 * @throws `EADDRINUSE` when the port is taken; an error naming the file when that cannot be read
 */
export async function startInngest(options: InngestOptions = {}): Promise<InngestStandIn> {
  const app = bareServer(16 * 1024 * 1024);
  const log = openEventLog({ capacity: options.capacity ?? 10_000, file: options.file });
  const runLog = openRunLog(
    options.file && `${options.file}.runs`,
    event => event.receivedAt >= log.oldest(),
  );
  const scheduler = startScheduler({
    log: runLog,
    events: log.events,
    retryDelayMs: options.retryDelayMs ?? patience,
    signingKey: options.signingKey,
    onFailed: run => publishInternal(log, 'inngest/function.failed', failureOf(run)),
  });
  log.onEvent(scheduler.receive);
  app.addHook('onClose', async () => {
    await scheduler.close();
    runLog.close();
    log.close();
  });
  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('x-inngest-server-kind', options.signingKey ? 'cloud' : 'dev');
    done();
  });
  const answerWith = installFaults(app);
  let isLost: ((event: InboundEvent) => boolean) | null = null;

  app.get('/health', (_request, reply) => {
    sendJson(reply, { status: 200, message: 'OK' });
  });

  app.post<{ Params: { key: string } }>('/e/:key', (request, reply) => {
    if (options.eventKey !== undefined && request.params.key !== options.eventKey) {
      sendJson(reply.code(401), { status: 401, message: '', error: 'Event key not found' });
      return;
    }
    const answer = receive(bodyOf(request), request.headers['x-inngest-event-id-seed'], events =>
      log.publish(events.filter(event => !isLost?.(event))),
    );
    // The server names no type here, and Go then takes it for text.
    sendJson(reply.code(answer.status), answer, 'text/plain; charset=utf-8');
  });

  app.post('/fn/register', (request, reply) => {
    const { signingKey } = options;
    if (signingKey && request.headers.authorization !== `Bearer ${hashSigningKey(signingKey)}`) {
      sendJson(reply.code(401), { error: 'Unauthorized', status: 401 });
      return;
    }
    try {
      const { app: name, functions } = readRegistration(JSON.parse(bodyOf(request).toString()));
      scheduler.register(name, functions);
      sendJson(reply, { ok: true, modified: true });
    } catch (error) {
      sendJson(reply.code(400), { error: (error as Error).message, status: 400 });
    }
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
    const runs = [...runLog.runs().values()].filter(run => run.event.internalId === id.toUpperCase());
    const idle = log.events().filter(event => event.internalId === id.toUpperCase() && event.startedRun);
    const answer = runs.length > 0 ? runs.map(toRun) : idle.map(toRunInWaiting);
    sendJson(reply.header('cache-control', 'private, max-age=15'), dataAnswer(answer));
  });

  app.get<{ Params: { id: string } }>('/v1/runs/:id', (request, reply) => {
    const run = runLog.runs().get(request.params.id.toUpperCase());
    if (run) sendJson(reply, dataAnswer(toRun(run)));
    else sendJson(reply.code(404), { error: 'Run not found', status: 404 });
  });

  app.setNotFoundHandler((_request, reply) => {
    reply.code(404).type('text/plain; charset=utf-8').send('404 page not found\n');
  });

  const server = await listen(app, options);
  return {
    ...server,
    events: log.events,
    onEvent: log.onEvent,
    answerWith,
    loseEvents(decide) {
      isLost = decide;
    },
    functions: () => [...runLog.functions().values()],
    runs: () => [...runLog.runs().values()],
  };
}

type EventsAnswer = { ids: string[]; status: 200 | 400; error?: string };

/**
 * Takes the events in up to the first bad one: those before it are published and their ids named, those
 * after it are dropped. There is always one id, an empty one where there is none.
 */
function receive(
  body: Buffer,
  seed: string | string[] | undefined,
  publish: EventLog['publish'],
): EventsAnswer {
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
  publish(accepted);
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

function toRun(run: Run) {
  return {
    run_id: run.id,
    run_started_at: new Date(run.startedAt).toISOString(),
    function_id: noId,
    function_version: 1,
    environment_id: noId,
    event_id: run.event.internalId,
    status: run.status,
    ended_at: run.endedAt === null ? null : new Date(run.endedAt).toISOString(),
    ...(hasEnded(run) && { output: run.output }),
  };
}

/** As if one function listened to every event. */
function toRunInWaiting(event: ReceivedEvent) {
  const fn = { id: '', url: '', triggers: [], retries: 0, concurrency: 0 };
  return { ...toRun(newRun(fn, event)), run_id: runIdOf(event.internalId) };
}

/** As the server tells of a run that has used up its attempts. */
function failureOf({ id, functionId, event, output }: Run): Record<string, unknown> {
  const { internalId: _, receivedAt: __, startedRun: ___, ...original } = event;
  return { error: output, event: original, function_id: functionId, run_id: id };
}

function publishInternal(log: EventLog, name: string, data: Record<string, unknown>): void {
  const now = Date.now();
  const internalId = eventIds(readSeed(undefined))(1);
  log.publish([{ id: internalId, internalId, name, data, ts: now, receivedAt: now }]);
}
