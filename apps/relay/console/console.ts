import cookie from '@fastify/cookie';
import formbody from '@fastify/formbody';
import type { Sql } from '@segue/database/connection.ts';
import { isTemporary } from '@segue/database/outage.ts';
import { reasonOf } from '@segue/process/reason.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify';
import { guard } from './access/gate.ts';
import { serveLogin } from './access/login.ts';
import { RefusedSignIns } from './access/refusedSignIns.ts';
import type { AccessSettings } from './access/variables.ts';
import { serveActing } from './actions/act.ts';
import { Jobs } from './actions/jobs.ts';
import { serveRecord } from './actions/record.ts';
import { serveSending } from './actions/sending.ts';
import { serveAssets } from './assets/assets.ts';
import type { Dependency } from './live/dependencies.ts';
import { serveStream } from './live/stream.ts';
import { Watch, type WatchOptions } from './live/watch.ts';
import { serveAlbums } from './pages/albums.ts';
import { serveOverview } from './pages/overview.ts';
import { problemPage } from './pages/problem.ts';
import { serveRecording } from './pages/recording.ts';
import { serveRequests } from './pages/requests.ts';
import { addSendPage } from './pages/sendPage.ts';

export type ConsoleOptions = {
  /** A small pool of its own: what people look at takes no session from the relay. */
  sql: Sql;
  access: AccessSettings;
  /** How the services stand that this relay calls; looks into memory alone. */
  health: () => Dependency[];
  /** Addresses of workers, to be asked how they are. */
  workerUrls?: readonly string[];
  /** How often all is read anew while somebody looks. */
  pace?: Pick<WatchOptions, 'everyMs' | 'restFactor'>;
  logger: Logger;
};

/**
 * Serves the console below `/console/`: pages of HTML that need no script. It hangs on the relay by its server, a pool
 * and a look at the health of what the relay calls, and by nothing else.
 */
export async function serveConsole(server: FastifyInstance, options: ConsoleOptions): Promise<void> {
  await server.register(
    async console => {
      await console.register(cookie);
      await console.register(formbody, { bodyLimit: 65_536 });
      const refusals = new RefusedSignIns(options.logger);
      console.addHook('onClose', async () => refusals.stop());
      guard(console, options.access, refusals);
      answerProblems(console, options.logger);
      serveAssets(console);
      serveLogin(console, options.access, refusals);
      const { sql, health, workerUrls, pace } = options;
      const watch = new Watch({ sql, health, ...(workerUrls && { workerUrls }), ...pace });
      console.addHook('onClose', async () => await watch.stop());
      addSendPage(console, {
        watch,
        unexpected: (error, request) => unexpected(options.logger, error, request),
      });
      serveStream(console, watch);
      const jobs = new Jobs(sql);
      console.addHook('onClose', async () => await jobs.stop());
      const parts = { sql, watch, jobs };
      serveOverview(console, parts);
      serveRequests(console, parts);
      serveRecording(console, parts);
      serveAlbums(console, parts);
      serveActing(console, parts);
      serveRecord(console, parts);
      serveSending(console, parts);
    },
    { prefix: '/console' },
  );
  server.get('/', async (_request, reply) => await reply.redirect('/console/', 302));
}

/** A page in place of the JSON that the other routes answer: somebody is reading. */
function answerProblems(server: FastifyInstance, logger: Logger): void {
  server.setNotFoundHandler(async (request, reply) => {
    const problem = {
      status: 404,
      title: 'There is nothing here',
      text: 'The address leads to no page of the console.',
    };
    return await reply
      .code(404)
      .type('text/html; charset=utf-8')
      .send(problemPage({ ...problem, visitor: request.visitor }));
  });

  server.setErrorHandler<FastifyError>(async (error, request, reply) => {
    const { visitor } = request;
    reply.type('text/html; charset=utf-8');
    if (isTemporary(error)) {
      const text = `The page cannot be shown now: ${reasonOf(error)}. Additions are not hurt by it; the relays go on once the database answers. Try again in a moment.`;
      return await reply
        .code(503)
        .send(problemPage({ status: 503, title: 'The database does not answer', text, visitor }));
    }
    const { statusCode = 500 } = error;
    if (statusCode >= 400 && statusCode < 500) {
      const title = 'The console does not understand this';
      return await reply
        .code(statusCode)
        .send(problemPage({ status: statusCode, title, text: error.message, visitor }));
    }
    const problem = unexpected(logger, error, request);
    return await reply.code(problem.status).send(problemPage({ ...problem, visitor }));
  });
}

/** A fault of ours: all of it goes into the log, and to the reader the id under which it stands there. */
function unexpected(logger: Logger, error: unknown, { id: requestId }: FastifyRequest) {
  const stack = error instanceof Error ? error.stack : undefined;
  logger.error(
    { event: 'request_failed', requestId, error: reasonOf(error), stack },
    'a request failed unexpectedly',
  );
  const text = `Nothing was changed by this request, as far as is known. Quote ${requestId} when you report it; the log of the relay has more under it.`;
  return { status: 500, title: 'Something went wrong on our side', text };
}
