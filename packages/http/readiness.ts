import type { FastifyInstance } from 'fastify';

/**
 * How a dependency of the process stands:
 * - `ok`
 * - `degraded`: the process goes on without it, or waits for it and loses nothing.
 * - `unavailable`: the process cannot do its work.
 */
export type DependencyState = 'ok' | 'degraded' | 'unavailable';

export type DependencyReport = {
  state: DependencyState;
  /** What is wrong, in a line for people; left out where strangers read it. */
  reason?: string | undefined;
  /** For how long it has been so, in ms, where that is known better than by these questions. */
  forMs?: number | undefined;
};

/**
 * Serves `/readyz`: 200 while the process could do its work, `status` being `ready` or `degraded`, else 503 and `waiting`.
 * The answer names the state of each dependency, in `since` from when on it has been so, and in `reasons` why. A state
 * that nothing but these questions finds out begins with the question that found it.
 */
export function serveReadiness(
  server: FastifyInstance,
  check: () => Promise<Record<string, DependencyReport>>,
): void {
  const known = new Map<string, { state: DependencyState; since: number }>();

  function sinceOf(name: string, { state, forMs }: DependencyReport): number {
    const before = known.get(name);
    const since = before?.state === state ? before.since : Date.now() - (forMs ?? 0);
    known.set(name, { state, since });
    return since;
  }

  server.get('/readyz', async (_request, reply) => {
    const reports = Object.entries(await check());
    const states = reports.map(([, { state }]) => state);
    const isWaiting = states.includes('unavailable');
    const reasons = reports.flatMap(([name, { reason }]) => (reason === undefined ? [] : [[name, reason]]));
    return await reply.code(isWaiting ? 503 : 200).send({
      status: isWaiting ? 'waiting' : states.includes('degraded') ? 'degraded' : 'ready',
      ...Object.fromEntries(reports.map(([name, { state }]) => [name, state])),
      since: Object.fromEntries(
        reports.map(([name, report]) => [name, new Date(sinceOf(name, report)).toISOString()]),
      ),
      ...(reasons.length > 0 && { reasons: Object.fromEntries(reasons) }),
    });
  });
}
