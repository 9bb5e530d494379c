import { expect, test } from 'vitest';
import { document, track } from '../test/documents.ts';
import { errorReply, type ReceivedRequest, startTidalServer } from '../test/tidalServer.ts';

const ids = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => String(from + i));

/** Answers with the tracks asked for, in another order than that of the request. */
async function tracksById({ query }: ReceivedRequest) {
  return {
    body: document(
      query
        .getAll('filter[id]')
        .map(id => track(id))
        .reverse(),
    ),
  };
}

test('ISRCs of 45 tracks are asked for in chunks of 20 and matched by id', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/tracks', tracksById);
  const { isrcs } = await tidal.client().batchFetchTrackIsrcs(ids(1, 45));
  expect(isrcs.size).toBe(45);
  for (const [id, isrc] of isrcs) expect(isrc).toBe(`USRC1${id.padStart(7, '0')}`);
  const chunks = tidal.requestsOf('/tracks').map(request => request.query.getAll('filter[id]').length);
  expect(chunks.toSorted()).toEqual([20, 20, 5]);
});

test('tracks that TIDAL does not know, or has no ISRC for, are absent', async () => {
  await using tidal = await startTidalServer();
  const body = document([
    track('1'),
    track('2', { isrc: null }),
    track('3', { isrc: ' ' }),
    track('9'),
    'odd',
  ]);
  tidal.answer('/tracks', { body });
  const { isrcs, failures } = await tidal.client().batchFetchTrackIsrcs(['4', '3', '2', '1']);
  expect([...isrcs]).toEqual([['1', 'USRC10000001']]);
  expect(failures.size).toBe(0);
});

test('an id is asked for once, and no request is made for none', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/tracks', tracksById);
  const client = tidal.client();
  expect(await client.batchFetchTrackIsrcs([])).toEqual({ isrcs: new Map(), failures: new Map() });
  expect(tidal.requests).toHaveLength(0);
  await client.batchFetchTrackIsrcs(['1', '1', '1']);
  expect(tidal.requestsOf('/tracks')[0]?.query.getAll('filter[id]')).toEqual(['1']);
});

test('another country can be named', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/tracks', tracksById);
  await tidal.client().batchFetchTrackIsrcs(['1'], 'SE');
  expect(tidal.requestsOf('/tracks')[0]?.query.get('countryCode')).toBe('SE');
});

test.each([503, 404])('a chunk that fails with %i costs no other chunk its ISRCs', async status => {
  await using tidal = await startTidalServer();
  tidal.answer('/tracks', async request =>
    request.query.has('filter[id]', '21') ? errorReply(status) : tracksById(request),
  );
  const { isrcs, failures } = await tidal.client().batchFetchTrackIsrcs(ids(1, 25));
  expect([...isrcs.keys()]).toEqual(ids(1, 20));
  expect([...failures.keys()]).toEqual(ids(21, 25));
  expect(failures.get('21')).toMatchObject({
    message: expect.stringContaining(`TIDAL answered ${status} for the ISRCs of tracks 21, 22, 23, 24, 25`),
    status,
  });
});

test('a track that fails alone keeps its failure to itself', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/tracks', errorReply(400));
  for (const id of ['1', '2']) tidal.answer(`/tracks/${id}`, { body: document(track(id)) });
  tidal.answer('/tracks/3', errorReply(403));
  const { isrcs, failures } = await tidal.client().batchFetchTrackIsrcs(ids(1, 3));
  expect([...isrcs.keys()]).toEqual(['1', '2']);
  expect([...failures.keys()]).toEqual(['3']);
  expect(failures.get('3')).toMatchObject({ status: 403, unasked: false });
});

test.each([
  ['goes on at another page', { ...document([track('1')]), links: { next: '/tracks?page%5Bcursor%5D=x' } }],
  ['names a next page that cannot be read', { ...document([track('1')]), links: { next: 5 } }],
  ['has a member that cannot be read', document([track('1'), { id: {} }])],
])('tracks that are absent from a list that %s are asked for alone', async (_, body) => {
  await using tidal = await startTidalServer();
  tidal.answer('/tracks', { body });
  tidal.answer('/tracks/2', { body: document(track('2')) });
  const { isrcs, failures } = await tidal.client().batchFetchTrackIsrcs(ids(1, 3));
  expect([...isrcs.keys()]).toEqual(['1', '2']);
  expect(failures.size).toBe(0);
  expect(tidal.requestsOf('/tracks/1')).toHaveLength(0);
});

test.each([[{ data: null }], [{ data: [] }], [{ data: {} }]])(
  'an answer %j for one track is a failure, and not that it has no ISRC',
  async body => {
    await using tidal = await startTidalServer();
    tidal.answer('/tracks', errorReply(400));
    tidal.answer('/tracks/1', { body: document(track('1')) });
    tidal.answer('/tracks/2', { body });
    const { failures } = await tidal.client().batchFetchTrackIsrcs(ids(1, 2));
    expect([...failures.keys()]).toEqual(['2']);
    expect(failures.get('2')).toMatchObject({ status: 200, unasked: false });
  },
);

test('tracks that have no turn before the deadline are unasked; those that were answered are kept', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/tracks', errorReply(400));
  for (const id of ids(1, 4)) tidal.answer(`/tracks/${id}`, { body: document(track(id)) });
  const client = tidal.client({ requestsPerSecond: 0.2, totalTimeoutMs: 12_000 });
  const { isrcs, failures } = await client.batchFetchTrackIsrcs(ids(1, 4));
  expect(isrcs.size).toBeGreaterThan(0);
  expect(failures.size).toBeGreaterThan(0);
  expect(isrcs.size + failures.size).toBe(4);
  for (const failure of failures.values()) expect(failure.unasked).toBe(true);
});

test('an answer that is no list is an error', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/tracks', { body: {} });
  const { failures } = await tidal.client().batchFetchTrackIsrcs(['1']);
  expect(failures.get('1')).toMatchObject({ retryable: false });
});
