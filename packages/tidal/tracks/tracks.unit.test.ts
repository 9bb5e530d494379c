import { expect, test } from 'vitest';
import { TidalApiError } from '../http/error.ts';
import { album, artist, document, track } from '../test/documents.ts';
import { errorReply, startTidalServer } from '../test/tidalServer.ts';

/** Answers `/tracks` with those of the ids that it knows. */
const tracksByIds =
  (known: (id: string) => object | null) =>
  async ({ query }: { query: URLSearchParams }) => ({
    body: document(
      query.getAll('filter[id]').flatMap(id => known(id) ?? []),
      [artist('a1', 'Abba')],
    ),
  });

const ids = (count: number) => Array.from({ length: count }, (_, index) => String(index + 1));

test('45 tracks are asked for in three requests, and answered in their order', async () => {
  await using tidal = await startTidalServer();
  tidal.answer(
    '/tracks',
    tracksByIds(id => (id === '7' ? null : track(id))),
  );
  const answers = await Promise.all(tidal.client().getTracks(ids(45)));
  expect(answers.map(answer => answer?.tidalId ?? null)).toEqual(ids(45).map(id => (id === '7' ? null : id)));
  expect(answers[0]).toMatchObject({ title: 'Track 1', artistName: 'Abba' });
  const requests = tidal.requestsOf('/tracks');
  expect(requests.map(({ query }) => query.getAll('filter[id]').length)).toEqual([20, 20, 5]);
  expect(requests[0]?.query.get('include')).toBe('artists,albums.coverArt');
});

test('a track has its album, as one that was asked for alone', async () => {
  await using tidal = await startTidalServer();
  const resource = track('1', {}, { albums: { data: [{ id: '9', type: 'albums' }] } });
  tidal.answer('/tracks', { body: document([resource], [album('9')]) });
  tidal.answer('/tracks/1', { body: document(resource, [album('9')]) });
  const [together] = tidal.client().getTracks(['1']);
  expect(await together).toEqual(await tidal.client().getTrack('1'));
  expect((await together)?.albumName).toBe('Album 9');
});

test('a track that cannot be read spoils no other', async () => {
  await using tidal = await startTidalServer();
  tidal.answer(
    '/tracks',
    tracksByIds(id => (id === '2' ? { id, type: 'tracks', attributes: { isrc: 'x' } } : track(id))),
  );
  const [one, two, three] = await Promise.allSettled(tidal.client().getTracks(['1', '2', '3']));
  expect([one?.status, three?.status]).toEqual(['fulfilled', 'fulfilled']);
  expect(two).toMatchObject({ status: 'rejected', reason: { retryable: false, status: 200 } });
});

test('a chunk that fails spoils no other chunk', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/tracks', async request =>
    request.query.getAll('filter[id]').includes('1')
      ? errorReply(403)
      : await tracksByIds(id => track(id))(request),
  );
  const answers = await Promise.allSettled(tidal.client().getTracks(ids(25)));
  expect(answers.map(({ status }) => status)).toEqual([
    ...Array(20).fill('rejected'),
    ...Array(5).fill('fulfilled'),
  ]);
  expect(answers[0]).toMatchObject({ reason: expect.any(TidalApiError) });
});

test('an id that TIDAL finds malformed spoils no other', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/tracks', errorReply(400));
  tidal.answer('/tracks/1', { body: document(track('1')) });
  tidal.answer('/tracks/2', errorReply(400));
  const [one, two] = await Promise.allSettled(tidal.client().getTracks(['1', '2']));
  expect(one).toMatchObject({ status: 'fulfilled', value: { tidalId: '1' } });
  expect(two).toMatchObject({ status: 'rejected', reason: { retryable: false } });
});

test('a track that TIDAL answers under another id is found as it is alone', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/tracks', { body: document([track('1'), track('7')]) });
  tidal.answer('/tracks/2', { body: document(track('7')) });
  const answers = await Promise.all(tidal.client().getTracks(['1', '2', '3']));
  expect(answers.map(answer => answer?.tidalId)).toEqual(['1', '7', undefined]);
});

test('what is under way or remembered is not asked for again', async () => {
  await using tidal = await startTidalServer();
  tidal.clock.advance(1);
  tidal.answer('/tracks/1', { body: document(track('1')) });
  tidal.answer(
    '/tracks',
    tracksByIds(id => track(id)),
  );
  const client = tidal.client();
  const alone = client.getTrack('1');
  const [first] = client.getTracks(['1', '2', '2']);
  expect(await first).toBe(await alone);
  await Promise.all(client.getTracks(['2', '1']));
  expect(tidal.requests.map(({ path }) => path).filter(path => path !== '/token')).toEqual(
    expect.arrayContaining(['/tracks/1', '/tracks']),
  );
  expect(tidal.requestsOf('/tracks').map(({ query }) => query.getAll('filter[id]'))).toEqual([['2']]);
  expect(tidal.requestsOf('/tracks/1')).toHaveLength(1);
});

test('50 who ask for one track at once cost one request; a listing with holes is asked for again', async () => {
  await using tidal = await startTidalServer();
  tidal.clock.advance(1);
  tidal.answer('/tracks/1', { body: document(track('1')) });
  const client = tidal.client();
  await Promise.all(Array.from({ length: 50 }, () => client.getTrack('1')));
  await client.getTrack('1');
  expect(tidal.requestsOf('/tracks/1')).toHaveLength(1);

  tidal.answer('/albums/5/relationships/items', errorReply(404));
  await client.getAlbumListing('5', 3);
  await client.getAlbumListing('5', 3);
  expect(tidal.requestsOf('/albums/5/relationships/items')).toHaveLength(2);
});
