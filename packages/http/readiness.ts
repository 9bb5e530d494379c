import type { FastifyInstance } from 'fastify';

export type State = {
  ready: boolean;
  /** What the answer says besides, such as `database: 'unavailable'`. */
  details: Record<string, string>;
};

/** Serves `/readyz`: 200 while the process could do its work, else 503. */
export function serveReadiness(server: FastifyInstance, check: () => Promise<State>): void {
  server.get('/readyz', async (_request, reply) => {
    const { ready, details } = await check();
    return await reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'waiting', ...details });
  });
}
