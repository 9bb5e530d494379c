import { describe, expect, test } from 'vitest';
import { document, track } from '../test/documents.ts';
import { errorReply, startTidalServer } from '../test/tidalServer.ts';
import { systemClock } from './clock.ts';
import { TidalApiError } from './error.ts';
import { createLimiter } from './limiter.ts';
import { createPace } from './pace.ts';
import { createRequests } from './request.ts';

const found = { body: document(track('1')) };
const webPage = { 'content-type': 'text/html' };

test('every request says which answer it takes, for which country, and who asks', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/tracks/1', found);
  await tidal.client({ countryCode: 'SE' }).getTrack('1');
  const [request] = tidal.requestsOf('/tracks/1');
  expect(request?.headers).toMatchObject({
    accept: 'application/vnd.api+json',
    authorization: 'Bearer token-1',
  });
  expect(request?.query.get('countryCode')).toBe('SE');
});

describe('what may pass is asked again', () => {
  test.each([
    ['503', errorReply(503)],
    ['429', errorReply(429)],
    ['502 with a web page', { status: 502, headers: webPage, body: '<html>' }],
    ['a connection that breaks', 'hang up' as const],
    ['truncated JSON', { body: '{"data": {' }],
    ['a web page with 200', { headers: webPage, body: '<html>Maintenance</html>' }],
    ['an empty body', { body: '' }],
  ])('%s', async (_what, failure) => {
    await using tidal = await startTidalServer();
    tidal.answer('/tracks/1', failure, failure, failure, found);
    expect(await tidal.client().getTrack('1')).toMatchObject({ tidalId: '1' });
    expect(tidal.requestsOf('/tracks/1')).toHaveLength(4);
    expect(tidal.clock.waits).toHaveLength(3);
  });

  test.each([
    ['TIDAL answered 503 for track 1', 503, errorReply(503)],
    ['TIDAL answered 429 for track 1', 429, errorReply(429)],
    ['TIDAL answered 502 for track 1', 502, { status: 502, headers: webPage, body: '<html>' }],
    ['TIDAL could not be reached for track 1 (UND_ERR_SOCKET)', null, 'hang up' as const],
    ["TIDAL's answer for track 1 is not valid JSON", null, { body: '<html>' }],
  ])('for as long as there is time: %s', async (message, status, failure) => {
    await using tidal = await startTidalServer();
    tidal.answer('/tracks/1', failure);
    const error = await tidal
      .client()
      .getTrack('1')
      .catch(caught => caught);
    expect(error).toBeInstanceOf(TidalApiError);
    const attempts = tidal.requestsOf('/tracks/1').length;
    expect(error).toMatchObject({
      message: `${message} after ${attempts} attempts`,
      status,
      retryable: true,
    });
    expect(attempts).toBeGreaterThan(4);
    // Of the 15 s, less than one more wait is left: 4 s, or 5 s after a 429.
    expect(tidal.clock.now()).toBeGreaterThanOrEqual(10_000);
    expect(tidal.clock.now()).toBeLessThanOrEqual(15_000);
  });
});

describe('what will not change is not asked again', () => {
  test.each([
    ['TIDAL answered 400 for track 1: The detail', 400, errorReply(400)],
    [
      'TIDAL answered 302 for track 1, a redirect, which is not followed: check TIDAL_API_URL',
      302,
      { status: 302, headers: { location: '/v2/tracks/2' } },
    ],
    ['TIDAL answered 404 for track 1', 404, { status: 404, headers: webPage, body: '<html>' }],
    [
      "TIDAL's answer for track 1 is not of the expected shape: " +
        'data.attributes.title: Invalid input: expected string, received null',
      200,
      { body: document(track('1', { title: null })) },
    ],
  ])('%s', async (message, status, answer) => {
    await using tidal = await startTidalServer();
    tidal.answer('/tracks/1', answer);
    tidal.answer('/tracks/2', { body: document(track('2')) });
    await expect(tidal.client().getTrack('1')).rejects.toMatchObject({ message, status, retryable: false });
    expect(tidal.requestsOf('/tracks/1')).toHaveLength(1);
    expect(tidal.requestsOf('/tracks/2')).toHaveLength(0);
  });
});

describe('Retry-After', () => {
  test('is waited for', async () => {
    await using tidal = await startTidalServer();
    tidal.answer('/tracks/1', errorReply(429, { 'retry-after': '3' }), found);
    await tidal.client().getTrack('1');
    expect(tidal.clock.waits).toEqual([3000]);
  });

  test('beyond the time allowed fails at once', async () => {
    await using tidal = await startTidalServer();
    tidal.answer('/tracks/1', errorReply(429, { 'retry-after': '60' }), found);
    await expect(tidal.client().getTrack('1')).rejects.toMatchObject({
      message: 'TIDAL answered 429 for track 1, and asks to wait 60 s',
      status: 429,
      retryable: true,
    });
    expect(tidal.clock.waits).toEqual([]);
    expect(tidal.requestsOf('/tracks/1')).toHaveLength(1);
  });

  test('counts against the time of the whole call', async () => {
    await using tidal = await startTidalServer();
    tidal.answer('/tracks/1', errorReply(503, { 'retry-after': '6' }));
    await expect(tidal.client().getTrack('1')).rejects.toThrow(
      'TIDAL answered 503 for track 1 after 3 attempts, and asks to wait 6 s',
    );
    expect(tidal.clock.waits).toEqual([6000, 6000]);
  });
});

describe('time', () => {
  test.each(['silence', 'stop half-way'] as const)('of one attempt is bounded: %s', async misbehaviour => {
    await using tidal = await startTidalServer();
    tidal.answer('/tracks/1', misbehaviour, found);
    expect(await tidal.client({ timeoutMs: 20 }).getTrack('1')).toMatchObject({ tidalId: '1' });
  });

  test('of the whole call is bounded', async () => {
    await using tidal = await startTidalServer();
    tidal.answer('/tracks/1', 'silence');
    await expect(tidal.client({ totalTimeoutMs: 500, clock: undefined }).getTrack('1')).rejects.toMatchObject(
      {
        message: expect.stringMatching(/^TIDAL did not answer in time for track 1/),
        status: null,
        retryable: true,
      },
    );
  });

  test('spent in the queue counts, and nothing is sent after it', async () => {
    const { limiter, requests } = requestsOnTheirOwn();
    const released = Promise.withResolvers<Response>();
    const answer = async () => ({ response: await released.promise });
    const ahead = limiter.run(answer, {
      urgency: 'item',
      deadline: Number.POSITIVE_INFINITY,
      signal: new AbortController().signal,
    });
    let called = false;
    const asked = requests.send('track 1', { deadline: systemClock.now() + 20, urgency: 'item' }, once =>
      once(async () => {
        called = true;
        return { response: new Response() };
      }),
    );
    await expect(asked).rejects.toMatchObject({
      message: 'No turn came in time to ask TIDAL for track 1',
      retryable: true,
      unasked: true,
    });
    released.resolve(new Response());
    await ahead;
    expect(called).toBe(false);
  });

  test('that is over before the request sends nothing', async () => {
    const { requests } = requestsOnTheirOwn();
    let called = false;
    const asked = requests.send('track 1', { deadline: systemClock.now(), urgency: 'item' }, once =>
      once(async () => {
        called = true;
        return { response: new Response() };
      }),
    );
    await expect(asked).rejects.toThrow('No time is left to ask TIDAL for track 1');
    expect(called).toBe(false);
  });
});

function requestsOnTheirOwn() {
  const pace = createPace({ requestsPerSecond: undefined, clock: systemClock });
  const limiter = createLimiter({ maxConcurrency: 1, pace, clock: systemClock });
  return { limiter, requests: createRequests({ limiter, timeoutMs: 5000, clock: systemClock }) };
}

test('no more requests are in flight than allowed', async () => {
  await using tidal = await startTidalServer();
  const twoArrived = Promise.withResolvers<void>();
  let inFlight = 0;
  let most = 0;
  const ids = ['1', '2', '3', '4', '5', '6'];
  for (const id of ids) {
    tidal.answer(`/tracks/${id}`, async () => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      if (inFlight === 2) twoArrived.resolve();
      await twoArrived.promise;
      inFlight -= 1;
      return { body: document(track(id)) };
    });
  }
  const client = tidal.client({ maxConcurrency: 2 });
  await Promise.all(ids.map(id => client.getTrack(id)));
  expect(most).toBe(2);
});

test('requests keep to the rate', async () => {
  await using tidal = await startTidalServer();
  const client = tidal.client({ requestsPerSecond: 2 });
  await client.getTrack('1');
  await client.getTrack('2');
  // The token comes from another server, and is no part of the pace.
  expect(tidal.clock.waits).toEqual([500]);
});
