import { expect, onTestFinished, test, vi } from 'vitest';
import type { Catalogue } from './catalogue.ts';
import { observedRateLimit, tokenBucketOf } from './rateLimit.ts';
import type { Links, Resource } from './resources.ts';
import { startTidal, type TidalOptions } from './server.ts';

/** 45 tracks and a video on one album, so that a listing has three pages. */
const many: Catalogue = {
  artists: [{ id: '1', name: 'One' }],
  albums: [
    {
      id: '100',
      title: 'Many',
      albumType: 'ALBUM',
      barcodeId: '0001',
      releaseDate: '2017-06-30',
      copyright: '℗ 2017',
      cover: '00000000/0000/4000/8000/000000000001',
      artistIds: ['1'],
      numberOfItems: 50,
      items: [
        ...Array.from({ length: 45 }, (_, index) => ({
          type: 'tracks' as const,
          id: String(101 + index),
          volumeNumber: index < 30 ? 1 : 2,
          trackNumber: index < 30 ? index + 1 : index - 29,
        })),
        { type: 'videos', id: '900', volumeNumber: 2, trackNumber: 16 },
        { type: 'tracks', id: '999', volumeNumber: 2, trackNumber: 17 },
      ],
    },
  ],
  tracks: Array.from({ length: 45 }, (_, index) => ({
    id: String(101 + index),
    title: `Track ${index + 1}`,
    isrc: `USABC17000${10 + index}`,
    seconds: 60 + index,
    artistIds: index === 0 ? ['1', 'unknown'] : ['1'],
    albumIds: ['100'],
  })),
  videos: [{ id: '900', title: 'Film', seconds: 10, artistIds: ['1'], albumIds: ['100'] }],
};

type Body = {
  data: Resource & Resource[];
  included: Resource[];
  links: Links;
  errors: object[];
};

async function start(options: TidalOptions = { catalogue: many }) {
  const tidal = await startTidal(options);
  onTestFinished(tidal.close);
  const form = (fields: Record<string, string>) => ({ method: 'POST', body: new URLSearchParams(fields) });
  const { clientId, clientSecret } = tidal;
  const credentials = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
  const token = (await (await fetch(tidal.authUrl, form(credentials))).json()) as { access_token: string };
  const get = async (path: string, authorization = `Bearer ${token.access_token}`) => {
    const response = await fetch(`${tidal.apiUrl}${path}`, { headers: { authorization } });
    expect(response.headers.get('content-type')).toBe('application/vnd.api+json');
    return { status: response.status, ...((await response.json()) as Body) };
  };
  return { ...tidal, token, credentials, form, get };
}

const names = (resources: Resource[]) => resources.map(({ type, id }) => `${type}/${id}`);

test('a token is given for the right credentials alone', async () => {
  const { authUrl, token, credentials, form } = await start();
  expect(token).toEqual({
    access_token: expect.any(String),
    token_type: 'Bearer',
    expires_in: 86_400,
    scope: '',
  });
  const wrong = await fetch(authUrl, form({ ...credentials, client_secret: 'wrong' }));
  expect([wrong.status, await wrong.json()]).toEqual([
    401,
    {
      status: 401,
      error: 'invalid_client',
      sub_status: 1005,
      error_description: 'Client with token stand-in not found',
    },
  ]);
  expect((await fetch(authUrl, form({ ...credentials, client_id: 'wrong' }))).status).toBe(401);
  expect((await fetch(authUrl, form({ ...credentials, grant_type: 'password' }))).status).toBe(400);
});

test.each(['', 'Bearer ', 'Bearer wrong', 'Basic abc'])(
  'without a token of its own (%j) it answers 401',
  async authorization => {
    const { get } = await start();
    const { status, errors } = await get('/tracks/101?countryCode=US', authorization);
    expect(status).toBe(401);
    expect(errors).toEqual([
      {
        code: 'UNAUTHORIZED',
        detail: 'Invalid or missing Authorization Header',
        meta: { category: 'AUTHENTICATION_ERROR' },
      },
    ]);
  },
);

test('a token of another start is worth nothing', async () => {
  const first = await start();
  const second = await start();
  expect((await second.get('/tracks/101?countryCode=US', `Bearer ${first.token.access_token}`)).status).toBe(
    401,
  );
});

test('a token runs out', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const { get } = await start();
  vi.advanceTimersByTime(86_400_000 - 1);
  expect((await get('/tracks/101?countryCode=US')).status).toBe(200);
  vi.advanceTimersByTime(1);
  expect((await get('/tracks/101?countryCode=US')).status).toBe(401);
});

test('a track comes with what is included, and nothing else', async () => {
  const { get } = await start();
  const bare = await get('/tracks/102?countryCode=US');
  expect(bare.data).toMatchObject({
    id: '102',
    type: 'tracks',
    attributes: {
      title: 'Track 2',
      version: null,
      isrc: 'USABC1700011',
      duration: 'PT1M1S',
      explicit: false,
    },
  });
  expect(bare.data).not.toHaveProperty('relationships');
  expect(bare).not.toHaveProperty('included');

  const { data, included, links } = await get('/tracks/102?countryCode=US&include=artists,albums.coverArt');
  expect(links).toEqual({ self: '/tracks/102?include=artists%2Calbums.coverArt&countryCode=US' });
  expect(data.relationships).toEqual({
    artists: {
      data: [{ id: '1', type: 'artists' }],
      links: { self: '/tracks/102/relationships/artists?countryCode=US' },
    },
    albums: {
      data: [{ id: '100', type: 'albums' }],
      links: { self: '/tracks/102/relationships/albums?countryCode=US' },
    },
  });
  expect(names(included)).toEqual(['artists/1', 'albums/100', 'artworks/00000000000040008000000000000001']);
  expect(Object.keys(included[1]?.relationships ?? {})).toEqual(['coverArt']);
  expect(included[2]?.attributes.files).toContainEqual({
    href: 'https://resources.tidal.com/images/00000000/0000/4000/8000/000000000001/640x640.jpg',
    meta: { width: 640, height: 640 },
  });
});

test('an artist may be named and be missing from what is included', async () => {
  const { get } = await start();
  const { data, included } = await get('/tracks/101?countryCode=US&include=artists');
  expect(data.relationships?.artists?.data.map(({ id }) => id)).toEqual(['1', 'unknown']);
  expect(names(included)).toEqual(['artists/1']);
});

test('tracks by id: commas and repeats, the unknown absent, in an order of its own', async () => {
  const { get } = await start();
  const { data, included, links } = await get(
    '/tracks?filter[id]=103,101&filter[id]=555&filter[id]=102&countryCode=US&include=artists',
  );
  expect(names(data)).toEqual(['tracks/103', 'tracks/102', 'tracks/101']);
  expect(names(included)).toEqual(['artists/1']);
  expect(links).toEqual({
    self: '/tracks?filter%5Bid%5D=103%2C101%2C555%2C102&include=artists&countryCode=US',
  });
  const none = await get('/tracks?filter[id]=555&countryCode=US');
  expect([none.status, none.data]).toEqual([200, []]);
});

test('tracks by id take 20 ids', async () => {
  const { get } = await start();
  const ids = Array.from({ length: 21 }, (_, index) => String(101 + index));
  expect((await get(`/tracks?countryCode=US&filter[id]=${ids.slice(1).join()}`)).data).toHaveLength(20);
  expect((await get(`/tracks?countryCode=US&filter[id]=${ids.join()}`)).status).toBe(400);
  expect((await get(`/tracks?countryCode=US&${ids.map(id => `filter[id]=${id}`).join('&')}`)).status).toBe(
    400,
  );
});

test("an album's listing is followed page by page to its end", async () => {
  const { get } = await start();
  const pages: Body[] = [];
  let next: string | undefined = '/albums/100/relationships/items?countryCode=US&include=items.artists';
  while (next !== undefined) {
    const page: Body = await get(next);
    pages.push(page);
    next = page.links.next;
  }
  expect(pages.map(page => page.data.length)).toEqual([20, 20, 7]);
  expect(pages[0]?.data[0]).toEqual({ id: '101', type: 'tracks', meta: { volumeNumber: 1, trackNumber: 1 } });
  expect(pages[1]?.data[10]).toEqual({
    id: '131',
    type: 'tracks',
    meta: { volumeNumber: 2, trackNumber: 1 },
  });
  const cursor = pages[0]?.links.meta?.nextCursor;
  expect(pages[0]?.links.next).toBe(
    `/albums/100/relationships/items?include=items.artists&page%5Bcursor%5D=${cursor}&countryCode=US`,
  );
  expect(pages[2]?.links).not.toHaveProperty('meta');

  expect(names(pages[0]?.included ?? []).slice(0, 3)).toEqual(['tracks/101', 'artists/1', 'tracks/102']);
  // The last track is named in the listing, and the catalogue has nothing more on it.
  expect(names(pages[2]?.included ?? []).at(-1)).toBe('videos/900');
  expect(pages[2]?.data.at(-1)).toMatchObject({ id: '999' });
});

test('a listing without include names the items alone', async () => {
  const { get } = await start();
  const page = await get('/albums/100/relationships/items?countryCode=US');
  expect(page.data).toHaveLength(20);
  expect(page).not.toHaveProperty('included');
});

test('an album embeds the first page of its items, whose next has lost the include', async () => {
  const { get } = await start();
  const { data, included } = await get('/albums/100?countryCode=US&include=artists,coverArt,items.artists');
  expect(data.attributes).toMatchObject({
    title: 'Many',
    numberOfItems: 50,
    numberOfVolumes: 2,
    duration: 'PT1H1M40S',
    releaseDate: '2017-06-30',
    albumType: 'ALBUM',
    copyright: { text: '℗ 2017' },
  });
  const items = data.relationships?.items;
  expect(items?.data).toHaveLength(20);
  expect(items?.links.next).toMatch(
    /^\/albums\/100\/relationships\/items\?page%5Bcursor%5D=[\w-]+&countryCode=US$/,
  );
  expect(included).toHaveLength(20 + 1 + 1);
});

test('what a listing withholds, tracks-by-id has', async () => {
  const [album] = structuredClone(many.albums);
  if (album?.items[0] === undefined || album.items[1] === undefined) throw new Error('the album has tracks');
  album.items[0].listedWithout = 'isrc';
  album.items[1].listedWithout = 'resource';
  const { get } = await start({ catalogue: { ...many, albums: [album] } });
  const listing = await get('/albums/100/relationships/items?countryCode=US&include=items');
  expect(listing.data).toHaveLength(20);
  expect(names(listing.included).slice(0, 2)).toEqual(['tracks/101', 'tracks/103']);
  expect(listing.included[0]?.attributes).not.toHaveProperty('isrc');
  const byId = await get('/tracks?countryCode=US&filter[id]=101,102');
  expect(byId.data.map(track => track.attributes.isrc)).toEqual(['USABC1700011', 'USABC1700010']);
});

test.each([
  '/tracks/101',
  '/tracks/101?countryCode=usa',
  '/tracks?countryCode=US',
  '/tracks?filter[id]=101',
  '/albums/100',
  '/albums/100/relationships/items',
  '/albums/100/relationships/items?countryCode=US&page[cursor]=nonsense',
  '/albums/100/relationships/items?countryCode=US&include=artists',
  '/tracks/101?countryCode=US&include=nonsense',
  '/albums/100?countryCode=US&include=items.albums.items.artists',
])('%s is a bad request', async path => {
  const { get } = await start();
  const { status, errors } = await get(path);
  expect(status).toBe(400);
  expect(errors).toEqual([{ status: '400', detail: expect.any(String) }]);
});

test.each([
  '/tracks/555?countryCode=US',
  '/albums/555?countryCode=US',
  '/albums/555/relationships/items?countryCode=US',
  '/nowhere',
])('%s is not found', async path => {
  const { get } = await start();
  const { status, errors } = await get(path);
  expect(status).toBe(404);
  expect(errors).toEqual([{ status: '404', detail: 'Resource not found' }]);
});

test('it can be made to answer as TIDAL does under load', async () => {
  const { get, answerWith } = await start();
  const headers = { 'content-type': 'application/vnd.api+json', 'retry-after': '1' };
  answerWith(() => ({
    status: 429,
    headers,
    body: { errors: [{ status: '429', detail: 'Rate limit exceeded' }] },
  }));
  expect((await get('/tracks/101?countryCode=US')).status).toBe(429);
});

test('it has a catalogue of its own', async () => {
  const { get } = await start({});
  expect((await get('/albums/51584178?countryCode=SE')).data.attributes).toMatchObject({
    numberOfItems: 46,
    numberOfVolumes: 2,
  });
});

test('a rate limit answers 429 without Retry-After when the bucket is empty, and describes the bucket', async () => {
  const tidal = await startTidal({
    catalogue: many,
    rateLimit: { burst: 10, perSecond: 1 / 3600, cost: 5 },
  });
  onTestFinished(tidal.close);
  const { clientId: client_id, clientSecret: client_secret } = tidal;
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret });
  const answer = await fetch(tidal.authUrl, { method: 'POST', body });
  const { access_token } = (await answer.json()) as { access_token: string };
  const get = () =>
    fetch(`${tidal.apiUrl}/tracks/101?countryCode=US`, {
      headers: { authorization: `Bearer ${access_token}` },
    });

  const answers = [await get(), await get(), await get()];
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
  expect(answers.map(({ headers }) => headers.get('x-ratelimit-remaining'))).toEqual(['5', '0', '0']);
  expect(Object.fromEntries(answers[2]?.headers ?? [])).toMatchObject({
    'content-type': 'application/vnd.api+json',
    'x-ratelimit-burst-capacity': '10',
    'x-ratelimit-requested-tokens': '5',
  });
  expect(answers[2]?.headers.get('retry-after')).toBeNull();

  tidal.limitRate(null);
  expect((await get()).status).toBe(200);
});

test('a token bucket fills up with time, and no further than its size', () => {
  let now = 0;
  const take = tokenBucketOf(observedRateLimit, () => now);
  const remaining = () => take().headers['x-ratelimit-remaining'];
  expect([remaining(), remaining(), take().allowed]).toEqual(['5', '0', false]);
  now += 4_999;
  expect(take().allowed).toBe(false);
  now += 1;
  expect(take().allowed).toBe(true);
  now += 3_600_000;
  expect(remaining()).toBe('5');
});
