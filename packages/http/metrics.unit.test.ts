import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { serveMetrics } from './metrics.ts';
import { createHttpServer } from './server.ts';

function serverWith(token: string | undefined) {
  const server = createHttpServer({ logger: pino({ enabled: false }), hostRule: null, finishWithinMs: 0 });
  onTestFinished(() => server.close());
  serveMetrics(server, { text: async () => 'up 1\n', contentType: 'text/plain; version=0.0.4' }, token);
  return (authorization?: string) =>
    server.inject({ url: '/metrics', headers: authorization === undefined ? {} : { authorization } });
}

test('without METRICS_TOKEN anyone may ask', async () => {
  const { statusCode, body, headers } = await serverWith(undefined)();
  expect([statusCode, body]).toEqual([200, 'up 1\n']);
  expect(headers['content-type']).toContain('version=0.0.4');
});

test.each([
  ['no token', undefined],
  ['another token', 'Bearer a-token-of-somebody'],
  ['a part of the token', 'Bearer a-token-of-oper'],
  ['an empty token', 'Bearer '],
  ['another scheme', 'Basic a-token-of-operators'],
])('with METRICS_TOKEN, %s is 401', async (_, authorization) => {
  const { statusCode, body, headers } = await serverWith('a-token-of-operators')(authorization);
  expect(statusCode).toBe(401);
  expect(headers['www-authenticate']).toBe('Bearer');
  expect(body).not.toContain('up');
});

test('with METRICS_TOKEN, the token is let through', async () => {
  const { statusCode } = await serverWith('a-token-of-operators')('Bearer a-token-of-operators');
  expect(statusCode).toBe(200);
});
