import { pino } from 'pino';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { type DependencyReport, serveReadiness } from './readiness.ts';
import { createHttpServer } from './server.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-01-01T00:00:00Z') });
  onTestFinished(() => void vi.useRealTimers());
});

function start(reports: Record<string, DependencyReport>) {
  const server = createHttpServer({ logger: pino({ enabled: false }), hostRule: null, finishWithinMs: 0 });
  onTestFinished(() => server.close());
  serveReadiness(server, async () => reports);
  return {
    reports,
    async ask() {
      const { statusCode, body } = await server.inject('/readyz');
      return [statusCode, JSON.parse(body)];
    },
  };
}

test('while all is well it is 200, with each dependency', async () => {
  const { ask } = start({ database: { state: 'ok' }, qdrant: { state: 'ok' } });
  const since = { database: '2026-01-01T00:00:00.000Z', qdrant: '2026-01-01T00:00:00.000Z' };
  expect(await ask()).toEqual([200, { status: 'ready', database: 'ok', qdrant: 'ok', since }]);
});

test('a dependency that the process goes on without is degraded, and 200', async () => {
  const { ask } = start({ database: { state: 'ok' }, qdrant: { state: 'degraded', reason: 'away' } });
  expect(await ask()).toMatchObject([
    200,
    { status: 'degraded', database: 'ok', qdrant: 'degraded', reasons: { qdrant: 'away' } },
  ]);
});

test('a dependency without which nothing goes is 503, whatever the others', async () => {
  const { ask } = start({ database: { state: 'unavailable' }, qdrant: { state: 'degraded' } });
  expect(await ask()).toMatchObject([503, { status: 'waiting', database: 'unavailable' }]);
});

test('a state keeps its moment until it changes', async () => {
  const { ask, reports } = start({ database: { state: 'ok' } });
  await ask();
  vi.setSystemTime(new Date('2026-01-01T00:00:10Z'));
  expect(await ask()).toMatchObject([200, { since: { database: '2026-01-01T00:00:00.000Z' } }]);
  reports.database = { state: 'unavailable' };
  expect(await ask()).toMatchObject([503, { since: { database: '2026-01-01T00:00:10.000Z' } }]);
});

test('a state that is known to be older than the question says so', async () => {
  const { ask } = start({ inngest: { state: 'degraded', forMs: 60_000 } });
  expect(await ask()).toMatchObject([200, { since: { inngest: '2025-12-31T23:59:00.000Z' } }]);
});
