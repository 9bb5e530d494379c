import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';

/** What an answer tells browsers: that it is no page, and which other sites may ask for it. */
export async function sendSecurityHeaders(server: FastifyInstance, allowedOrigins: string[]): Promise<void> {
  await server.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    crossOriginResourcePolicy: { policy: allowedOrigins.length > 0 ? 'cross-origin' : 'same-origin' },
  });
  await server.register(cors, {
    origin: allowedOrigins,
    methods: ['GET', 'POST'],
    allowedHeaders: ['authorization', 'content-type', 'graphql-require-preflight'],
    exposedHeaders: ['retry-after', 'x-request-id'],
    maxAge: 600,
  });
}
