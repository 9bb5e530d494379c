import type { FastifyInstance } from 'fastify';

export type State = {
  ready: boolean;
  /** Ready, and something that the work will need soon is away. */
  degraded?: boolean;
  /** What the answer says besides, such as `database: 'unavailable'`. */
  details: Record<string, string>;
};

/** Serves `/readyz`: 200 while the process could do its work (`ready` or `degraded`), else 503. */
export function serveReadiness(server: FastifyInstance, check: () => Promise<State>): void {
  server.get('/readyz', async (_request, reply) => {
    const { ready, degraded, details } = await check();
    const status = !ready ? 'waiting' : degraded ? 'degraded' : 'ready';
    return await reply.code(ready ? 200 : 503).send({ status, ...details });
  });
}
