import { describe, expect, test } from 'vitest';
import { artist, document, itemsPage, track } from '../test/documents.ts';
import { errorReply, startTidalServer, type TidalServer } from '../test/tidalServer.ts';

const path = '/albums/9/relationships/items';
const page2 = `${path}?page%5Bcursor%5D=abc&countryCode=US`;

const tracks = (...ids: string[]) => ids.map(id => track(id));
const idsOf = (listing: { tracks: { tidalId: string }[] }) => listing.tracks.map(({ tidalId }) => tidalId);

function answerPages(tidal: TidalServer, ...pages: unknown[]) {
  tidal.answer(path, ...pages.map(body => ({ body })));
}

test('a listing of one page is complete', async () => {
  await using tidal = await startTidalServer();
  answerPages(tidal, itemsPage([{ id: '1' }, { id: '2' }], { included: tracks('2', '1') }));
  const listing = await tidal.client().getAlbumListing('9', 2);
  expect(listing.problem).toBeNull();
  expect(listing.tracks[1]).toEqual({
    position: 2,
    tidalId: '2',
    title: 'Track 2',
    artistName: 'Abba',
    duration: 180,
    explicit: false,
    isrc: 'USRC10000002',
  });
  expect(tidal.requestsOf('/tracks')).toHaveLength(0);
});

test('all pages are read, each with what it is to include', async () => {
  await using tidal = await startTidalServer();
  answerPages(
    tidal,
    itemsPage([{ id: '1' }], { included: tracks('1'), next: page2 }),
    itemsPage([{ id: '2' }], { included: tracks('2') }),
  );
  const listing = await tidal.client().getAlbumListing('9', 2);
  expect(idsOf(listing)).toEqual(['1', '2']);
  expect(listing.problem).toBeNull();
  expect(tidal.requestsOf(path).map(({ query }) => Object.fromEntries(query))).toEqual([
    { countryCode: 'US', include: 'items.artists' },
    { 'page[cursor]': 'abc', countryCode: 'US', include: 'items.artists' },
  ]);
});

test('a next page elsewhere is asked of TIDAL', async () => {
  await using tidal = await startTidalServer();
  answerPages(
    tidal,
    itemsPage([{ id: '1' }], {
      included: tracks('1'),
      next: 'http://elsewhere.invalid/x?page%5Bcursor%5D=abc',
    }),
    itemsPage([{ id: '2' }], { included: tracks('2') }),
  );
  expect(idsOf(await tidal.client().getAlbumListing('9'))).toEqual(['1', '2']);
});

test('tracks are in the order of volume and number, counted over all volumes, without videos', async () => {
  await using tidal = await startTidalServer();
  const items = [
    { id: '4', volume: 2, number: 1 },
    { id: '2', volume: 1, number: 10 },
    { id: '3', type: 'videos', volume: 1, number: 11 },
    { id: '1', volume: 1, number: 2 },
  ];
  answerPages(tidal, itemsPage(items, { included: tracks('1', '2', '4') }));
  const listing = await tidal.client().getAlbumListing('9', 4);
  expect(listing.tracks.map(({ position, tidalId }) => [position, tidalId])).toEqual([
    [1, '1'],
    [2, '2'],
    [3, '4'],
  ]);
  expect(listing.problem).toBeNull();
});

test('items without numbers keep the order of the listing', async () => {
  await using tidal = await startTidalServer();
  const { data, ...rest } = itemsPage([{ id: '3' }, { id: '1' }, { id: '2' }], {
    included: tracks('1', '2', '3'),
  });
  answerPages(tidal, { ...rest, data: data.map(({ id, type }) => ({ id, type })) });
  expect(idsOf(await tidal.client().getAlbumListing('9'))).toEqual(['3', '1', '2']);
});

describe('tracks that a page names and does not include', () => {
  test('are asked for by id, and stand in their places', async () => {
    await using tidal = await startTidalServer();
    answerPages(tidal, itemsPage([{ id: '1' }, { id: '2' }, { id: '3' }], { included: tracks('1', '3') }));
    tidal.answer('/tracks', { body: document(tracks('2'), [artist('a1', 'Abba')]) });
    const listing = await tidal.client().getAlbumListing('9', 3);
    expect(listing).toMatchObject({ problem: null, owed: null });
    expect(listing.tracks.map(({ position, tidalId }) => [position, tidalId])).toEqual([
      [1, '1'],
      [2, '2'],
      [3, '3'],
    ]);
    expect(listing.tracks[1]).toMatchObject({ title: 'Track 2', artistName: 'Abba', isrc: 'USRC10000002' });
    const [asked] = tidal.requestsOf('/tracks');
    expect([asked?.query.getAll('filter[id]'), asked?.query.get('include')]).toEqual([['2'], 'artists']);
  });

  test('are owed when TIDAL cannot be asked, and leave their positions free', async () => {
    await using tidal = await startTidalServer();
    answerPages(tidal, itemsPage([{ id: '1' }, { id: '2' }, { id: '3' }], { included: tracks('1', '3') }));
    tidal.answer('/tracks', errorReply(403));
    const listing = await tidal.client().getAlbumListing('9', 3);
    expect(listing.owed?.trackIds).toEqual(['2']);
    expect(listing.tracks.map(({ position, tidalId }) => [position, tidalId])).toEqual([
      [1, '1'],
      [3, '3'],
    ]);
  });

  test('are found under the id by which the album names them, whatever id TIDAL answers with', async () => {
    await using tidal = await startTidalServer();
    answerPages(tidal, itemsPage([{ id: '1' }, { id: '2' }], { included: tracks('1') }));
    tidal.answer('/tracks', { body: document(tracks('7')) });
    tidal.answer('/tracks/2', { body: document(track('7')) });
    const listing = await tidal.client().getAlbumListing('9', 2);
    expect(listing).toMatchObject({ problem: null, owed: null });
    expect(listing.tracks[1]).toMatchObject({ tidalId: '2', title: 'Track 7' });
  });
});

describe('shapes that TIDAL may drift to', () => {
  test('ids are numbers, and track numbers texts', async () => {
    await using tidal = await startTidalServer();
    const page = JSON.parse(
      JSON.stringify(itemsPage([{ id: '1' }, { id: '2', number: 1 }], { included: tracks('1', '2') })),
      (key, value) =>
        key === 'id' && /^\d+$/.test(value) ? Number(value) : key === 'trackNumber' ? String(value) : value,
    );
    answerPages(tidal, page);
    const listing = await tidal.client().getAlbumListing('9', 2);
    expect(listing).toMatchObject({ problem: null, owed: null });
    expect(idsOf(listing)).toEqual(['1', '2']);
  });

  test.each([
    ['an object', { next: { href: page2, meta: {} } }],
    ['a bare cursor', { meta: { nextCursor: 'abc' } }],
    ['a bare cursor beside a link that is none', { next: null, meta: { nextCursor: 'abc' } }],
  ])('the next page is %s', async (_, links) => {
    await using tidal = await startTidalServer();
    answerPages(
      tidal,
      { ...itemsPage([{ id: '1' }], { included: tracks('1') }), links },
      itemsPage([{ id: '2' }], { included: tracks('2') }),
    );
    const listing = await tidal.client().getAlbumListing('9', 2);
    expect(listing).toMatchObject({ problem: null, owed: null });
    expect(idsOf(listing)).toEqual(['1', '2']);
    expect(tidal.requestsOf(path)[1]?.query.get('page[cursor]')).toBe('abc');
  });

  test.each([
    ['a number', { next: 5 }],
    ['an object without an address', { next: { href: null } }],
    ['an address without parameters', { next: `${path}#2` }],
    ['a cursor that is a number', { meta: { nextCursor: 7 } }],
  ])('the next page is %s: it is owed, and what was read is listed', async (_, links) => {
    await using tidal = await startTidalServer();
    answerPages(tidal, { ...itemsPage([{ id: '1' }], { included: tracks('1') }), links });
    const listing = await tidal.client().getAlbumListing('9', 46);
    expect(idsOf(listing)).toEqual(['1']);
    expect(listing.owed).toMatchObject({ nextPage: {}, expectedItems: 46 });
    expect(tidal.requestsOf(path)).toHaveLength(1);
  });

  test.each([{ next: null }, { next: '' }, { meta: { nextCursor: null } }, {}, null])(
    'a page with the links %j is the last',
    async links => {
      await using tidal = await startTidalServer();
      answerPages(tidal, { ...itemsPage([{ id: '1' }], { included: tracks('1') }), links });
      expect(await tidal.client().getAlbumListing('9', 1)).toMatchObject({ problem: null, owed: null });
    },
  );

  test.each(['1\u0000', '\ud800', 'a b', ''])('an item with the id %j counts as unreadable', async id => {
    await using tidal = await startTidalServer();
    answerPages(tidal, itemsPage([{ id }, { id: '2' }], { included: tracks('2') }));
    const listing = await tidal.client().getAlbumListing('9', 2);
    expect(idsOf(listing)).toEqual(['2']);
    expect(listing).toMatchObject({ problem: 'listed for US: 1 of 2 items', owed: null });
  });

  test('a page has a member of an unknown shape, which costs nothing else', async () => {
    await using tidal = await startTidalServer();
    const page = itemsPage([{ id: '1' }, { id: '2' }], { included: [...tracks('1', '2'), 'odd'] });
    answerPages(tidal, { ...page, data: [{ id: { of: 'an object' } }, 'odd', null, ...page.data] });
    expect(idsOf(await tidal.client().getAlbumListing('9', 2))).toEqual(['1', '2']);
  });
});

describe('a part is missing', () => {
  test('when a page fails: what was read before is kept', async () => {
    await using tidal = await startTidalServer();
    const first = itemsPage([{ id: '1' }], { included: tracks('1'), next: page2 });
    tidal.answer(path, { body: first }, errorReply(503));
    const listing = await tidal.client().getAlbumListing('9', 24);
    expect(idsOf(listing)).toEqual(['1']);
    expect(listing.problem).toMatch(
      /^page 2 and what follows it is missing: TIDAL answered 503 for page 2 of the items of album 9 after \d+ attempts; listed for US: 1 of 24 items$/,
    );
    expect(listing.owed).toEqual({
      nextPage: { 'page[cursor]': 'abc', countryCode: 'US' },
      pagesRead: ['{}'],
      expectedItems: 24,
      places: [{ id: '1', volume: 1, number: 1 }],
      videos: [],
      trackIds: [],
    });
  });

  test.each([
    [
      'TIDAL knows no listing',
      {},
      /page 1 .* TIDAL answered 404 for page 1 of the items of album 9: The detail/,
    ],
    [
      'the shape is another',
      { [path]: { body: { data: 'none' } } },
      /page 1 .* not of the expected shape: data/,
    ],
    ['there is no token', { '/token': errorReply(401) }, /page 1 .* TIDAL_CLIENT_ID/],
    ['nothing is listed', { [path]: { body: itemsPage([]) } }, /^listed for US: 0 items$/],
  ])('when %s', async (_when, answers, problem) => {
    await using tidal = await startTidalServer();
    for (const [where, answer] of Object.entries(answers)) tidal.answer(where, answer);
    const listing = await tidal.client().getAlbumListing('9');
    expect(listing.tracks).toEqual([]);
    expect(listing.problem).toMatch(problem);
  });

  test('when an item comes without its data, or without a title, and asking by id brings none', async () => {
    await using tidal = await startTidalServer();
    tidal.answer('/tracks', { body: document([track('3', { title: null })]) });
    const included = [track('1'), track('3', { title: null })];
    answerPages(tidal, itemsPage([{ id: '1' }, { id: '2' }, { id: '3' }, { id: '4' }], { included }));
    const listing = await tidal.client().getAlbumListing('9', 4);
    expect(idsOf(listing)).toEqual(['1']);
    expect(listing.problem).toBe('tracks named without their data: 2, 3, 4');
  });

  test('when the country is offered less than the album has', async () => {
    await using tidal = await startTidalServer();
    answerPages(tidal, itemsPage([{ id: '1' }], { included: tracks('1') }));
    const listing = await tidal.client({ countryCode: 'SE' }).getAlbumListing('9', 10);
    expect(listing.problem).toBe('listed for SE: 1 of 10 items');
  });

  test('a long list of such items is cut short', async () => {
    await using tidal = await startTidalServer();
    answerPages(tidal, itemsPage(Array.from({ length: 12 }, (_, index) => ({ id: String(index + 1) }))));
    tidal.answer('/tracks', { body: document([]) });
    const { problem } = await tidal.client().getAlbumListing('9', 12);
    expect(problem).toBe('tracks named without their data: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more');
  });
});

describe('a listing that never ends is given up', () => {
  test('when a page names itself as the next', async () => {
    await using tidal = await startTidalServer();
    answerPages(tidal, itemsPage([], { next: page2 }));
    const listing = await tidal.client().getAlbumListing('9');
    expect(listing.problem).toMatch('the listing does not end: given up after page 2');
    expect(tidal.requestsOf(path)).toHaveLength(2);
  });

  test('when cursors are new, but the items are not', async () => {
    await using tidal = await startTidalServer();
    let page = 0;
    tidal.answer(path, async () => {
      page += 1;
      return { body: itemsPage([{ id: '1' }], { included: tracks('1'), next: `${path}?page=${page}` }) };
    });
    const listing = await tidal.client().getAlbumListing('9');
    expect(idsOf(listing)).toEqual(['1']);
    expect(listing.problem).toBe('the listing does not end: given up after page 2');
  });

  test('when cursors are new, and pages empty', async () => {
    await using tidal = await startTidalServer();
    let page = 0;
    tidal.answer(path, async () => {
      page += 1;
      return { body: itemsPage([], { next: `${path}?page=${page}` }) };
    });
    const listing = await tidal.client().getAlbumListing('9');
    expect(listing.problem).toMatch('given up after page 500');
  });
});

test('a page without items between others ends nothing', async () => {
  await using tidal = await startTidalServer();
  answerPages(
    tidal,
    itemsPage([{ id: '1' }], { included: tracks('1'), next: `${path}?page=2` }),
    itemsPage([], { next: `${path}?page=3` }),
    itemsPage([{ id: '2' }], { included: tracks('2') }),
  );
  const listing = await tidal.client().getAlbumListing('9', 2);
  expect(idsOf(listing)).toEqual(['1', '2']);
  expect(listing.problem).toBeNull();
});

test('an artist included with one page serves the others', async () => {
  await using tidal = await startTidalServer();
  const first = itemsPage([{ id: '1' }], { included: tracks('1'), next: page2 });
  answerPages(tidal, first, { ...itemsPage([{ id: '2' }]), included: tracks('2') });
  const listing = await tidal.client().getAlbumListing('9');
  expect(listing.tracks[1]).toMatchObject({ artistName: 'Abba' });
});

describe('ISRCs that the listing leaves out', () => {
  const withoutIsrcs = (...ids: string[]) =>
    itemsPage(
      ids.map(id => ({ id })),
      { included: ids.map(id => track(id, { isrc: null })) },
    );

  test('are asked for by id, and only those', async () => {
    await using tidal = await startTidalServer();
    const page = withoutIsrcs('2', '3');
    answerPages(tidal, {
      ...page,
      data: [...itemsPage([{ id: '1' }]).data, ...page.data],
      included: [...page.included, track('1'), artist('a2', 'Björk')],
    });
    tidal.answer('/tracks', { body: document(tracks('3', '2')) });
    const listing = await tidal.client().getAlbumListing('9', 3);
    expect(listing.tracks.map(({ isrc }) => isrc)).toEqual(['USRC10000001', 'USRC10000002', 'USRC10000003']);
    expect(listing.problem).toBeNull();
    expect(tidal.requestsOf('/tracks').map(({ query }) => query.getAll('filter[id]'))).toEqual([['2', '3']]);
  });

  test('stay null where TIDAL has none', async () => {
    await using tidal = await startTidalServer();
    answerPages(tidal, withoutIsrcs('1'));
    tidal.answer('/tracks', { body: document([]) });
    const listing = await tidal.client().getAlbumListing('9');
    expect(listing).toMatchObject({ tracks: [{ isrc: null }], problem: null });
  });

  test('are missing, and said to be, where TIDAL fails; the chunks that came are kept', async () => {
    await using tidal = await startTidalServer();
    const ids = Array.from({ length: 21 }, (_, index) => String(index + 1));
    answerPages(tidal, withoutIsrcs(...ids));
    tidal.answer('/tracks', async ({ query }) => {
      const asked = query.getAll('filter[id]');
      return asked.length === 20 ? { body: document(tracks(...asked)) } : errorReply(400);
    });
    const listing = await tidal.client().getAlbumListing('9', 21);
    expect(listing.tracks.filter(({ isrc }) => isrc === null).map(({ tidalId }) => tidalId)).toEqual(['21']);
    expect(listing.problem).toMatch(
      /^tracks missing, or left without ISRC: 1 of 21: TIDAL answered 400 for tracks 21/,
    );
    expect(listing.owed).toMatchObject({ nextPage: null, trackIds: ['21'] });
  });
});

test('the time allowed is that of the whole listing', async () => {
  await using tidal = await startTidalServer();
  tidal.answer(path, async () => {
    tidal.clock.advance(15_000);
    return { body: itemsPage([{ id: '1' }], { included: tracks('1'), next: page2 }) };
  });
  const listing = await tidal.client().getAlbumListing('9');
  expect(idsOf(listing)).toEqual(['1']);
  expect(listing.problem).toMatch('No time is left to ask TIDAL for page 2 of the items of album 9');
  expect(tidal.requestsOf(path)).toHaveLength(1);
});
