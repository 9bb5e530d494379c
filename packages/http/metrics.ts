import { hash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';

export type MetricsText = {
  text(): Promise<string>;
  contentType: string;
};

/**
 * Serves `/metrics`.
 *
 * @param token who asks has to send it as a bearer token; undefined: anyone may ask
 */
export function serveMetrics(server: FastifyInstance, metrics: MetricsText, token: string | undefined): void {
  server.get('/metrics', async (request, reply) => {
    if (token !== undefined && !isBearer(request.headers.authorization, token)) {
      reply.code(401).header('www-authenticate', 'Bearer');
      return await reply.send({ error: 'Send the METRICS_TOKEN of this process as a bearer token.' });
    }
    return await reply.type(metrics.contentType).send(await metrics.text());
  });
}

/** Takes the same time for every wrong token, so that none can be found out letter by letter. */
function isBearer(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
  return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', token, 'buffer'));
}
