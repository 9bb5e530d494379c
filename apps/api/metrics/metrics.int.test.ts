import { expect, onTestFinished, test } from 'vitest';
import { createAuthenticate } from '../access/authentication.ts';
import { catalogTrack, fakeCatalog } from '../test/catalog.ts';
import { useLibrary } from '../test/library.ts';
import { serverOf } from '../test/server.ts';
import { createMetrics, showDatabase } from './metrics.ts';
import { countTidalRequests } from './tidalRequests.ts';

const { libraryWith } = useLibrary();
const track = catalogTrack();

async function serve({ token, usersHaveTokens = false }: { token?: string; usersHaveTokens?: boolean } = {}) {
  const metrics = createMetrics(token, usersHaveTokens);
  const library = libraryWith(fakeCatalog({ tracks: [track] }));
  showDatabase(metrics, library.database);
  const authenticate = createAuthenticate(
    usersHaveTokens ? { secret: 'x'.repeat(32), issuer: undefined, audience: undefined } : null,
  );
  const server = await serverOf(library, { metrics, authenticate });
  onTestFinished(() => server.close());
  return {
    metrics,
    server,
    ask: (query: string) => server.inject({ method: 'POST', url: '/graphql', payload: { query } }),
    /** Of the operations that were counted, those that there were. */
    async counted() {
      const lines = (await metrics.meter.text()).split('\n');
      return Object.fromEntries(
        lines.flatMap(line => {
          const [, labels, count] = /^segue_graphql_operations_total\{(.*)\} (\d+)$/.exec(line) ?? [];
          return count === undefined || count === '0' ? [] : [[labels, Number(count)]];
        }),
      );
    },
  };
}

test('requests are counted by type and outcome, and never by their name', async () => {
  const { ask, counted, metrics } = await serve();
  await ask('query Secret { getLibraryTracks { id } }');
  await ask(`mutation { addTrackToLibrary(input: {tidalTrackId: "${track.tidalId}"}) { __typename } }`);
  await ask('{ getLibraryTracks(first: -1) { id } }');
  await ask('{ nothing }');
  await ask('{');
  expect(await counted()).toEqual({
    'type="query",outcome="ok"': 1,
    'type="mutation",outcome="ok"': 1,
    'type="query",outcome="bad_user_input"': 1,
    'type="none",outcome="bad_request"': 2,
  });
  const text = await metrics.meter.text();
  expect(text).not.toContain('Secret');
  expect(text).toContain('segue_graphql_operation_seconds_count{type="mutation"} 1');
  expect(text).toMatch(/segue_database_pool_connections\{pool="api",state="idle"\} [1-9]/);
});

test('who is nobody, and a method that does nothing, are counted before there is an operation', async () => {
  const { server, ask, counted } = await serve({ usersHaveTokens: true });
  await ask('{ getLibraryTracks { id } }');
  await server.inject({ method: 'PUT', url: '/graphql' });
  expect(await counted()).toEqual({
    'type="none",outcome="unauthenticated"': 1,
    'type="none",outcome="bad_request"': 1,
  });
});

test.each([
  ['for one local user', {}, undefined, 200],
  ['where users have tokens, without METRICS_TOKEN', { usersHaveTokens: true }, undefined, 404],
  [
    'where users have tokens, to somebody without METRICS_TOKEN',
    { usersHaveTokens: true, token: 't'.repeat(16) },
    undefined,
    401,
  ],
  [
    'where users have tokens, with METRICS_TOKEN',
    { usersHaveTokens: true, token: 't'.repeat(16) },
    't'.repeat(16),
    200,
  ],
])('/metrics %s', async (_, options, token, status) => {
  const { server } = await serve(options);
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  expect((await server.inject({ url: '/metrics', headers })).statusCode).toBe(status);
});

test('requests to TIDAL are counted by outcome, and their wait by urgency', async () => {
  const { meter } = createMetrics(undefined, false);
  const count = countTidalRequests(meter);
  count({ urgency: 'item', outcome: 'ok', waitedMs: 200, tookMs: 90 });
  count({ urgency: 'background', outcome: 'no_turn', waitedMs: 3_000, tookMs: null });
  const lines = (await meter.text()).split('\n');
  for (const line of [
    'segue_tidal_requests_total{outcome="ok"} 1',
    'segue_tidal_requests_total{outcome="no_turn"} 1',
    'segue_tidal_requests_total{outcome="rate_limited"} 0',
    'segue_tidal_wait_seconds_sum{urgency="item"} 0.2',
    'segue_tidal_wait_seconds_sum{urgency="background"} 3',
    'segue_tidal_request_seconds_count 1',
  ]) {
    expect(lines).toContain(line);
  }
});
