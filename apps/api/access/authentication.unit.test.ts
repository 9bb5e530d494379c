import { describe, expect, test } from 'vitest';
import { issued, sharedSecret, startIssuer, tokenOf, unsignedToken } from '../test/tokens.ts';
import { createAuthenticate } from './authentication.ts';
import { KeysUnavailable } from './remoteKeys.ts';

const refused = { code: 'UNAUTHENTICATED', statusCode: 401 };
const anHourAgo = () => Math.floor(Date.now() / 1000) - 3600;

test('without checks everybody is the local user', async () => {
  const authenticate = createAuthenticate(null);
  expect([await authenticate(undefined), await authenticate('Bearer x')]).toEqual(['local', 'local']);
});

describe('a shared secret', () => {
  const authenticate = createAuthenticate({ secret: sharedSecret, issuer: undefined, audience: undefined });
  const bearer = async (token: string | Promise<string>) => authenticate(`Bearer ${await token}`);

  test.each(['HS256', 'HS384', 'HS512'])('the user is the "sub" of a token with %s', async algorithm => {
    expect(await bearer(tokenOf({ sub: 'ada' }, sharedSecret, algorithm))).toBe('ada');
  });

  test('the scheme may be written in any case', async () => {
    expect(await authenticate(`bearer ${await tokenOf({ sub: 'ada' })}`)).toBe('ada');
  });

  test.each([
    ['nothing', undefined],
    ['an empty header', ''],
    ['no token', 'Bearer '],
    ['another scheme', 'Basic YWRhOmxvdmVsYWNl'],
    ['two tokens', 'Bearer x y'],
  ])('%s is nobody', async (_, header) => {
    await expect(authenticate(header)).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('Authorization: Bearer'),
    });
  });

  test.each([
    ['no JWT', 'x'],
    ['half a JWT', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ'],
    ['an unsigned one', unsignedToken({ sub: 'ada' })],
    ['another key', tokenOf({ sub: 'ada' }, 'another secret of thirty-two characters')],
  ])('%s is refused', async (_, token) => {
    await expect(bearer(token)).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('signed'),
    });
  });

  test('a signature of another token is refused', async () => {
    const [ada, eve] = await Promise.all([tokenOf({ sub: 'ada' }), tokenOf({ sub: 'eve' })]);
    const forged = [...ada.split('.').slice(0, 2), eve.split('.')[2]].join('.');
    await expect(bearer(forged)).rejects.toMatchObject(refused);
  });

  test('an expired one is refused, and says so', async () => {
    await expect(bearer(tokenOf({ sub: 'ada', exp: anHourAgo() }))).rejects.toMatchObject({
      ...refused,
      message: 'The token has expired: get a new one.',
    });
  });

  test.each([
    ['exp', { sub: 'ada', exp: undefined as never }],
    ['nbf', { sub: 'ada', nbf: anHourAgo() + 7200 }],
    ['sub', {}],
  ])('one whose "%s" is missing or wrong is refused', async (claim, claims) => {
    await expect(bearer(tokenOf(claims))).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining(`"${claim}"`),
    });
  });

  test('a "sub" of 255 characters is a user', async () => {
    expect(await bearer(tokenOf({ sub: 'x'.repeat(255) }))).toHaveLength(255);
  });

  test.each([
    ['empty', ''],
    ['longer', 'x'.repeat(256)],
    ['with a NUL', 'a\0b'],
    ['with half a character', 'a\ud800'],
    ['a number', 7 as never],
  ])('a "sub" that is %s is no user', async (_, sub) => {
    await expect(bearer(tokenOf({ sub }))).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('"sub"'),
    });
  });

  test('issuer and audience are checked where they are given', async () => {
    const strict = createAuthenticate({ secret: sharedSecret, issuer: issued.iss, audience: issued.aud });
    expect(await strict(`Bearer ${await tokenOf({ ...issued, sub: 'ada' })}`)).toBe('ada');
    await expect(strict(`Bearer ${await tokenOf({ sub: 'ada' })}`)).rejects.toMatchObject(refused);
  });
});

describe('a JWKS address', () => {
  const checksOf = (jwksUrl: string) => ({ jwksUrl, issuer: issued.iss, audience: issued.aud });

  test('the user is the "sub"; the keys are fetched once', async () => {
    await using issuer = await startIssuer();
    const authenticate = createAuthenticate(checksOf(issuer.jwksUrl));
    expect(issuer.fetches()).toBe(0);
    const tokens = await Promise.all(['ada', 'eve'].map(sub => issuer.tokenOf({ sub })));
    expect(await Promise.all(tokens.map(token => authenticate(`Bearer ${token}`)))).toEqual(['ada', 'eve']);
    expect(issuer.fetches()).toBe(1);
  });

  test.each([
    ['issuer', { iss: 'https://other.example.com' }, '"iss"'],
    ['audience', { aud: 'another service' }, '"aud"'],
  ])('the wrong %s is refused', async (_, claims, named) => {
    await using issuer = await startIssuer();
    const authenticate = createAuthenticate(checksOf(issuer.jwksUrl));
    const token = await issuer.tokenOf({ sub: 'ada', ...claims });
    await expect(authenticate(`Bearer ${token}`)).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining(named),
    });
  });

  test('another key, none, or the public one as a secret is refused', async () => {
    await using issuer = await startIssuer();
    await using stranger = await startIssuer();
    const authenticate = createAuthenticate(checksOf(issuer.jwksUrl));
    for (const token of [
      await stranger.tokenOf({ sub: 'ada' }),
      unsignedToken({ ...issued, sub: 'ada' }),
      await tokenOf({ ...issued, sub: 'ada' }, issuer.publicKey()),
    ]) {
      await expect(authenticate(`Bearer ${token}`)).rejects.toMatchObject(refused);
    }
  });

  test('a rotated key is good at once, and the one before no more', async () => {
    await using issuer = await startIssuer();
    const authenticate = createAuthenticate(checksOf(issuer.jwksUrl));
    const before = `Bearer ${await issuer.tokenOf({ sub: 'ada' })}`;
    expect(await authenticate(before)).toBe('ada');
    await issuer.rotate();
    expect(await authenticate(`Bearer ${await issuer.tokenOf({ sub: 'eve' })}`)).toBe('eve');
    await expect(authenticate(before)).rejects.toMatchObject(refused);
  });

  test('made-up keys do not make it ask the issuer each time', async () => {
    await using issuer = await startIssuer();
    await using stranger = await startIssuer();
    const authenticate = createAuthenticate(checksOf(issuer.jwksUrl));
    await stranger.rotate();
    const token = `Bearer ${await stranger.tokenOf({ sub: 'ada' })}`;
    await Promise.allSettled(Array.from({ length: 50 }, () => authenticate(token)));
    expect(issuer.fetches()).toBeLessThanOrEqual(3);
  });

  test('keys that cannot be had say nothing of the token', async () => {
    await using issuer = await startIssuer();
    issuer.fail();
    const authenticate = createAuthenticate(checksOf(issuer.jwksUrl));
    const token = await issuer.tokenOf({ sub: 'ada' });
    await expect(authenticate(`Bearer ${token}`)).rejects.toThrow(KeysUnavailable);
  });
});
