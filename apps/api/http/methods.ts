import { METHODS } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';

const allowed = ['GET', 'POST'];

/**
 * Answers 405 for every method at `/graphql` but GET and POST, before anything of the request is read. HEAD is
 * among the others: Fastify would run it as GET, and mercurius keeps mutations from GET alone.
 */
export function refuseOtherMethods(server: FastifyInstance): void {
  const others = METHODS.filter(method => !allowed.includes(method) && method !== 'CONNECT');
  for (const method of others) {
    if (!server.supportedMethods.includes(method)) server.addHttpMethod(method);
  }
  server.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.url !== '/graphql' || !others.includes(request.method) || isPreflight(request)) {
      return;
    }
    const message = `${request.method} does nothing here: send a query by GET or POST, a mutation by POST.`;
    reply.code(405).header('allow', allowed.join(', '));
    return await reply.send({ data: null, errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] });
  });
  // Never reached: Fastify calls hooks only for routes that there are.
  server.route({ method: others, url: '/graphql', handler: async (_, reply) => reply.code(405).send() });
}

/** A browser asks which methods and headers another site may send. */
function isPreflight({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && 'origin' in headers && 'access-control-request-method' in headers;
}
