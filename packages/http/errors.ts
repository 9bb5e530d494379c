import { reasonOf } from '@segue/process/reason.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import type { FastifyError, FastifyInstance } from 'fastify';

/**
 * Answers `{ error }` where a route has no answer of its own. A message of ours goes to the log, under the id that the
 * client is told; only what was wrong with the request is said in words.
 */
export function answerErrors(server: FastifyInstance, logger: Logger): void {
  server.setNotFoundHandler(async (_request, reply) => {
    return await reply.code(404).send({ error: 'There is nothing at this address.' });
  });

  server.setErrorHandler<FastifyError>(async (error, request, reply) => {
    const { statusCode = 500 } = error;
    if (statusCode >= 400 && statusCode < 500) {
      return await reply.code(statusCode).send({ error: error.message });
    }
    const requestId = request.id;
    logger.error(
      { event: 'request_failed', requestId, error: reasonOf(error), stack: error.stack },
      'a request failed unexpectedly',
    );
    return await reply.code(500).send({
      error: `Something went wrong on our side. Please quote ${requestId} when you report it.`,
      requestId,
    });
  });
}
