import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { document, track } from '../test/documents.ts';
import { credentials, errorReply, startTidalServer, token } from '../test/tidalServer.ts';

const found = { body: document(track('1')) };

test('the token is asked for with the client credentials, as a form', async () => {
  await using tidal = await startTidalServer();
  await tidal.client().getTrack('1');
  const [request] = tidal.requestsOf('/token');
  expect(request).toMatchObject({
    method: 'POST',
    headers: { 'content-type': expect.stringContaining('application/x-www-form-urlencoded') },
  });
  expect(Object.fromEntries(request?.form ?? [])).toEqual({
    grant_type: 'client_credentials',
    client_id: credentials.clientId,
    client_secret: credentials.clientSecret,
  });
});

test('callers at the same time share one request', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/tracks/1', found);
  const client = tidal.client();
  await Promise.all(['1', '2', '3', '4', '5'].map(id => client.getTrack(id)));
  expect(tidal.requestsOf('/token')).toHaveLength(1);
});

test('the token is renewed a minute before it expires, and kept until then', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/token', token('token-1', 3600), token('token-2', 3600));
  const client = tidal.client();
  await client.getTrack('404');
  tidal.clock.advance(3_539_999);
  await client.getTrack('404');
  tidal.clock.advance(1);
  await client.getTrack('404');
  expect(tidal.requestsOf('/tracks/404').map(request => request.headers.authorization)).toEqual([
    'Bearer token-1',
    'Bearer token-1',
    'Bearer token-2',
  ]);
});

test('a token that lives less than a minute is used for most of its life', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/token', token('token-1', 30));
  const client = tidal.client();
  await client.getTrack('1');
  tidal.clock.advance(26_000);
  await client.getTrack('1');
  expect(tidal.requestsOf('/token')).toHaveLength(1);
});

describe('a 401', () => {
  test('is asked again at once with a new token, which the others then use', async () => {
    await using tidal = await startTidalServer();
    tidal.answer('/token', token('token-1'), token('token-2'));
    tidal.answer('/tracks/1', errorReply(401), found);
    const client = tidal.client();
    expect(await client.getTrack('1')).toMatchObject({ tidalId: '1' });
    await client.getTrack('2');
    const asked = [...tidal.requestsOf('/tracks/1'), ...tidal.requestsOf('/tracks/2')];
    expect(asked.map(request => request.headers.authorization)).toEqual([
      'Bearer token-1',
      'Bearer token-2',
      'Bearer token-2',
    ]);
    expect(tidal.clock.waits).toEqual([]);
  });

  test('for many at the same time renews the token once', async () => {
    await using tidal = await startTidalServer();
    tidal.answer('/token', token('token-1'), token('token-2'), token('token-3'));
    const allHaveAsked = Promise.withResolvers<void>();
    let asked = 0;
    for (const id of ['1', '2', '3']) {
      tidal.answer(`/tracks/${id}`, async ({ headers }) => {
        if (headers.authorization !== 'Bearer token-1') return found;
        asked += 1;
        if (asked === 3) allHaveAsked.resolve();
        await allHaveAsked.promise;
        return errorReply(401);
      });
    }
    const client = tidal.client();
    await Promise.all(['1', '2', '3'].map(id => client.getTrack(id)));
    expect(tidal.requestsOf('/token')).toHaveLength(2);
  });

  test('that comes late does not throw the new token away', async () => {
    await using tidal = await startTidalServer();
    tidal.answer('/token', token('token-1'), token('token-2'), token('token-3'));
    const arrived = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    tidal.answer('/tracks/1', errorReply(401), found);
    tidal.answer('/tracks/2', async ({ headers }) => {
      if (headers.authorization !== 'Bearer token-1') return found;
      arrived.resolve();
      await released.promise;
      return errorReply(401);
    });
    const client = tidal.client();
    const late = client.getTrack('2');
    await arrived.promise;
    await client.getTrack('1');
    released.resolve();
    await late;
    expect(tidal.requestsOf('/token')).toHaveLength(2);
  });

  test('that stays is an error, and no retry', async () => {
    await using tidal = await startTidalServer();
    tidal.answer('/tracks/1', errorReply(401));
    await expect(tidal.client().getTrack('1')).rejects.toMatchObject({
      message: 'TIDAL answered 401 for track 1: The detail',
      retryable: false,
      status: 401,
    });
    expect(tidal.requestsOf('/tracks/1')).toHaveLength(2);
    expect(tidal.requestsOf('/token')).toHaveLength(2);
  });
});

describe('the token endpoint', () => {
  test.each([400, 401])('refuses the credentials with %i', async status => {
    await using tidal = await startTidalServer();
    const description = `Client with token ${credentials.clientId} and ${credentials.clientSecret} not found`;
    tidal.answer('/token', { status, body: { error: 'invalid_client', error_description: description } });
    const error = await tidal
      .client()
      .getTrack('1')
      .catch(caught => caught);
    expect(error).toMatchObject({ retryable: false, status });
    expect(error.message).toContain('TIDAL_CLIENT_ID and TIDAL_CLIENT_SECRET');
    expect(inspect(error)).not.toContain(credentials.clientId);
    expect(inspect(error)).not.toContain(credentials.clientSecret);
    expect(tidal.requestsOf('/token')).toHaveLength(1);
  });

  test('sends the credentials nowhere else', async () => {
    await using tidal = await startTidalServer();
    tidal.answer('/token', { status: 307, headers: { location: '/elsewhere' } });
    await expect(tidal.client().getTrack('1')).rejects.toMatchObject({
      message:
        'TIDAL answered 307 for an access token, a redirect, which is not followed: check TIDAL_AUTH_URL',
      retryable: false,
      status: 307,
    });
    expect(tidal.requestsOf('/elsewhere')).toHaveLength(0);
  });

  test('is asked again when it fails, and the item is not', async () => {
    await using tidal = await startTidalServer();
    tidal.answer('/token', errorReply(503));
    await expect(tidal.client().getTrack('1')).rejects.toMatchObject({
      message: expect.stringMatching(/^TIDAL answered 503 for an access token after \d+ attempts$/),
      retryable: true,
      status: 503,
    });
    expect(tidal.requestsOf('/token').length).toBeGreaterThan(4);
    expect(tidal.requestsOf('/tracks/1')).toHaveLength(0);
  });

  test('comes back: a failure is not kept', async () => {
    await using tidal = await startTidalServer();
    tidal.answer('/token', errorReply(400), token('token-1'));
    tidal.answer('/tracks/1', found);
    const client = tidal.client();
    await expect(client.getTrack('1')).rejects.toThrow('TIDAL answered 400 for an access token');
    expect(await client.getTrack('1')).toMatchObject({ tidalId: '1' });
  });

  test('answers with another shape', async () => {
    await using tidal = await startTidalServer();
    tidal.answer('/token', { body: { access_token: 'secret\ntoken', expires_in: 60 } });
    const error = await tidal
      .client()
      .getTrack('1')
      .catch(caught => caught);
    expect(error).toMatchObject({ retryable: false, status: 200 });
    expect(error.message).toContain('access_token');
    expect(inspect(error)).not.toContain('secret');
  });

  test('answers with half a token, which no error quotes', async () => {
    await using tidal = await startTidalServer();
    tidal.answer('/token', { body: '{"access_token": "secret-token-1' });
    const error = await tidal
      .client()
      .getTrack('1')
      .catch(caught => caught);
    expect(error.message).toMatch(
      /^TIDAL's answer for an access token is not valid JSON after \d+ attempts$/,
    );
    expect(inspect(error)).not.toContain('secret');
  });

  test('holds nobody longer than their own time, though its request is shared', async () => {
    await using tidal = await startTidalServer();
    tidal.answer('/token', token('token-1'), 'silence');
    tidal.answer('/tracks/1', async () => {
      tidal.clock.advance(14_980);
      return errorReply(401);
    });
    await expect(tidal.client().getTrack('1')).rejects.toMatchObject({
      message: 'TIDAL did not answer in time for an access token',
      retryable: true,
    });
  });
});

test('a token that TIDAL quotes in an error is not in the message', async () => {
  await using tidal = await startTidalServer();
  tidal.answer('/tracks/1', async ({ headers }) => ({
    status: 400,
    body: { errors: [{ detail: `cannot read "${headers.authorization}"` }] },
  }));
  await expect(tidal.client().getTrack('1')).rejects.toThrow('400 for track 1: cannot read "Bearer [token]"');
});
