import { describe, expect, test } from 'vitest';
import type { OwedListing } from '../catalog.ts';
import { artist, document, itemsPage, track } from '../test/documents.ts';
import { errorReply, startTidalServer, type TidalServer } from '../test/tidalServer.ts';

const path = '/albums/9/relationships/items';
const page2 = `${path}?page%5Bcursor%5D=abc&countryCode=US`;

const tracks = (...ids: string[]) => ids.map(id => track(id));

function answerPages(tidal: TidalServer, ...pages: unknown[]) {
  tidal.answer(path, ...pages.map(body => ({ body })));
}

describe('a listing that is owed', () => {
  test('is completed question by question', async () => {
    await using tidal = await startTidalServer();
    const first = itemsPage([{ id: '1' }], { included: [track('1', { isrc: null })], next: page2 });
    tidal.answer(path, { body: first }, errorReply(403));
    tidal.answer('/tracks', errorReply(403));
    const { owed } = await tidal.client().getAlbumListing('9', 2);
    if (owed === null) throw new Error('nothing is owed');
    expect(owed).toMatchObject({ trackIds: ['1'] });

    tidal.answer(path, { body: itemsPage([{ id: '2' }]) });
    tidal.answer('/tracks', async ({ query }) => ({
      body: document(tracks(...query.getAll('filter[id]')), [artist('a1', 'Abba')]),
    }));
    const client = tidal.client();
    const page = await client.continueAlbumListing('9', owed);
    expect(page).toMatchObject({ tracks: [], problem: null, owed: { nextPage: null, trackIds: ['1', '2'] } });
    const rest = await client.continueAlbumListing('9', page.owed);
    expect(rest.owed).toMatchObject({ nextPage: null, trackIds: [] });
    expect(rest.tracks.map(({ tidalId, isrc }) => [tidalId, isrc])).toEqual([
      ['1', 'USRC10000001'],
      ['2', 'USRC10000002'],
    ]);
    expect(rest.isrcs.get('1')).toBe('USRC10000001');
    expect(tidal.requestsOf('/tracks')).toHaveLength(2);
  });

  test('stays as it is while TIDAL fails', async () => {
    await using tidal = await startTidalServer();
    tidal.answer(path, errorReply(503));
    const { owed } = await tidal.client().getAlbumListing('9', 2);
    if (owed === null) throw new Error('nothing is owed');
    const before = structuredClone(owed);
    await expect(tidal.client().continueAlbumListing('9', owed)).rejects.toMatchObject({ status: 503 });
    expect(owed).toEqual(before);
  });

  test('ends where TIDAL has no such page any more', async () => {
    await using tidal = await startTidalServer();
    const { owed } = await tidal.client().getAlbumListing('9', 2);
    if (owed === null) throw new Error('nothing is owed');
    expect(await tidal.client().continueAlbumListing('9', owed)).toMatchObject({
      tracks: [],
      owed: { nextPage: null, trackIds: [] },
      problem: 'TIDAL has no page 1 of the items of album 9',
    });
  });

  test('names the tracks of which TIDAL says nothing that can be read', async () => {
    await using tidal = await startTidalServer();
    answerPages(tidal, itemsPage([{ id: '1' }, { id: '2' }], { included: tracks('1') }));
    tidal.answer('/tracks', errorReply(403), { body: document([track('2', { title: null })]) });
    const { owed } = await tidal.client().getAlbumListing('9', 2);
    if (owed === null) throw new Error('nothing is owed');
    expect(await tidal.client().continueAlbumListing('9', owed)).toMatchObject({
      tracks: [],
      unreadable: ['2'],
      owed: { trackIds: [] },
    });
  });

  test('asks again for a page that named its next one in a way that could not be read', async () => {
    await using tidal = await startTidalServer();
    tidal.clock.advance(1);
    const first = itemsPage([{ id: '1' }], { included: tracks('1'), next: page2 });
    const second = itemsPage([{ id: '2' }], { included: tracks('2') });
    const odd = { ...second, links: { next: 5 } };
    const third = itemsPage([{ id: '3' }], { included: tracks('3') });
    answerPages(
      tidal,
      first,
      odd,
      odd,
      { ...second, links: { next: `${path}?page%5Bcursor%5D=def` } },
      third,
    );
    const client = tidal.client();
    const { owed, problem } = await client.getAlbumListing('9', 3);
    expect(problem).toMatch(
      /^what follows page 2 is missing: .* page 2 .* names a next page that cannot be read/,
    );
    // The database keeps the parameters in another order.
    const stored = { ...owed, nextPage: Object.fromEntries(Object.entries(owed?.nextPage ?? {}).reverse()) };

    await expect(client.continueAlbumListing('9', stored as OwedListing)).rejects.toMatchObject({
      retryable: true,
      message: expect.stringContaining('page 2 of the items'),
    });
    const again = await client.continueAlbumListing('9', stored as OwedListing);
    expect(again).toMatchObject({ tracks: [], problem: null, owed: { nextPage: { 'page[cursor]': 'def' } } });
    const rest = await client.continueAlbumListing('9', again.owed);
    expect(rest).toMatchObject({ tracks: [{ tidalId: '3' }], problem: null, owed: { nextPage: null } });
  });

  test('keeps the tracks of a page that names its next one in a way that cannot be read', async () => {
    await using tidal = await startTidalServer();
    tidal.answer(path, errorReply(403), {
      body: { ...itemsPage([{ id: '1' }], { included: tracks('1') }), links: { next: 5 } },
    });
    const { owed } = await tidal.client().getAlbumListing('9', 2);
    if (owed === null) throw new Error('nothing is owed');
    expect(await tidal.client().continueAlbumListing('9', owed)).toMatchObject({
      tracks: [{ tidalId: '1' }],
      problem: null,
      owed: { nextPage: {} },
    });
  });

  test('says so where its pages repeat themselves', async () => {
    await using tidal = await startTidalServer();
    const first = itemsPage([{ id: '1' }], { included: tracks('1'), next: page2 });
    tidal.answer(path, { body: first }, errorReply(403), { body: first });
    const { owed } = await tidal.client().getAlbumListing('9', 2);
    if (owed === null) throw new Error('nothing is owed');
    const part = await tidal.client().continueAlbumListing('9', owed);
    expect(part).toMatchObject({
      owed: { nextPage: null },
      problem: 'the listing does not end: given up after page 2',
    });
  });
});
