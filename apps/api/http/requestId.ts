import { causedBy } from '@segue/telemetry/origin.ts';
import type { FastifyInstance } from 'fastify';

/**
 * Tells clients the id of their request in `x-request-id`, also when it is refused, and has all that the request causes
 * carry it.
 */
export function carryRequestId(server: FastifyInstance): void {
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
  // Only here, behind the body: what is read of a connection runs in the context of the connection.
  server.addHook('preValidation', ({ id, headers }, _reply, done) => {
    const { traceparent } = headers;
    causedBy({ requestId: id, traceparent: readTraceparent(traceparent) }, done);
  });
}

/** As long as four of them: what is longer is something else, and would only fill the outbox. */
const longestTraceparent = 220;

function readTraceparent(header: string | string[] | undefined): string | null {
  return typeof header === 'string' && header.length <= longestTraceparent ? header : null;
}
