import type { Logger } from '@segue/telemetry/logger.ts';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Authenticate } from '../access/authentication.ts';
import { KeysUnavailable } from '../access/remoteKeys.ts';
import { Refusal } from './refusal.ts';

const users = new WeakMap<FastifyRequest, string>();

/** Lets nobody ask `/graphql` who does not say who they are, before anything of their request is read. */
export function identifyUsers(server: FastifyInstance, authenticate: Authenticate, logger: Logger): void {
  server.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.url !== '/graphql') return;
    try {
      users.set(request, await authenticate(request.headers.authorization));
    } catch (error) {
      const { code, message, statusCode } = refusalOf(error, logger);
      if (code === 'UNAUTHENTICATED') reply.header('www-authenticate', 'Bearer');
      return await reply.code(statusCode).send({ data: null, errors: [{ message, extensions: { code } }] });
    }
  });
}

/** The one place that says on whose behalf a request is made. */
export function userOf(request: FastifyRequest): string {
  const user = users.get(request);
  if (user === undefined) throw new Error('a request of nobody has come through');
  return user;
}

function refusalOf(error: unknown, logger: Logger): Refusal {
  if (error instanceof Refusal) return error;
  if (!(error instanceof KeysUnavailable)) throw error;
  logger.error({ event: 'authentication_unavailable', error: error.message }, 'nobody can be identified');
  return new Refusal(
    'AUTHENTICATION_UNAVAILABLE',
    503,
    'It cannot be told right now whether the token is valid. Please try again in a moment.',
  );
}
