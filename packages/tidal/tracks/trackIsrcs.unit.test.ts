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
  const isrcs = await tidal.client().batchFetchTrackIsrcs(ids(1, 45));
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
  const isrcs = await tidal.client().batchFetchTrackIsrcs(['4', '3', '2', '1']);
  expect([...isrcs]).toEqual([['1', 'USRC10000001']]);
});

test('an id is asked for once, and no request is made for none', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/tracks', tracksById);
  const client = tidal.client();
  expect(await client.batchFetchTrackIsrcs([])).toEqual(new Map());
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

test.each([503, 404])('a chunk that fails with %i fails the call', async status => {
  await using tidal = await startTidalServer();
  tidal.answer('/tracks', async request =>
    request.query.has('filter[id]', '21') ? errorReply(status) : tracksById(request),
  );
  await expect(tidal.client().batchFetchTrackIsrcs(ids(1, 25))).rejects.toMatchObject({
    message: expect.stringContaining(`TIDAL answered ${status} for the ISRCs of tracks 21, 22, 23, 24, 25`),
    status,
  });
});

test('an answer that is no list is an error', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/tracks', { body: {} });
  await expect(tidal.client().batchFetchTrackIsrcs(['1'])).rejects.toMatchObject({ retryable: false });
});
