import { expect, test } from 'vitest';
import { document, track } from '../test/documents.ts';
import { errorReply, startTidalServer } from '../test/tidalServer.ts';
import type { ObservedRequest } from './observation.ts';

const found = { body: document(track('1')) };

test.each([
  ['ok', found],
  ['not_found', errorReply(404)],
  ['refused', errorReply(403)],
  ['rate_limited', errorReply(429)],
  ['server_error', errorReply(503)],
  ['unreachable', 'hang up' as const],
  ['invalid', { body: '{"data": {' }],
  ['invalid', { body: '' }],
])('a request is told as %s', async (outcome, reply) => {
  await using tidal = await startTidalServer();
  tidal.answer('/tracks/1', reply, found);
  const seen: ObservedRequest[] = [];
  await tidal
    .client({ onRequest: request => seen.push(request) })
    .getTrack('1')
    .catch(() => undefined);
  const [token, first] = seen;
  expect(token).toMatchObject({ urgency: 'token', outcome: 'ok' });
  expect(first).toMatchObject({ urgency: 'item', outcome, waitedMs: 0, tookMs: expect.any(Number) });
});

test('a request that is not answered in time is told as timeout', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/tracks/1', 'silence');
  const seen: ObservedRequest[] = [];
  const client = tidal.client({
    timeoutMs: 20,
    totalTimeoutMs: 50,
    onRequest: request => seen.push(request),
  });
  await client.getTrack('1').catch(() => undefined);
  expect(seen.filter(({ urgency }) => urgency === 'item').map(({ outcome }) => outcome)).toContain('timeout');
});

test('a request for which no turn comes in time is told as no_turn, and took nothing', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/tracks/1', found);
  tidal.answer('/tracks/2', found);
  const seen: ObservedRequest[] = [];
  const client = tidal.client({ requestsPerSecond: 0.001, onRequest: request => seen.push(request) });
  await client.getTrack('1');
  await client.getTrack('2').catch(() => undefined);
  expect(seen.at(-1)).toMatchObject({ urgency: 'item', outcome: 'no_turn', tookMs: null });
});
