import { CompactSign, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { issued, sharedSecret, startIssuer, tokenOf, unsignedToken } from '../test/tokens.ts';
import { createAuthenticate } from './authentication.ts';
import { KeysUnavailable, RemoteKeys } from './remoteKeys.ts';

const refused = { code: 'UNAUTHENTICATED', statusCode: 401 };
/** Claims as text: JSON can say what no number of JavaScript's is written as. */
const signed = (claims: string) =>
  new CompactSign(new TextEncoder().encode(claims))
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(sharedSecret));
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

  describe("the issuer's clock may be wrong by 5 s", () => {
    const from = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

    test.each([
      ['exp', -3, -30],
      ['nbf', 3, 30],
      ['iat', 3, 30],
    ])('as to "%s"', async (claim, within, beyond) => {
      const asked = async (seconds: number, tolerance?: number) =>
        await createAuthenticate({
          secret: sharedSecret,
          issuer: undefined,
          audience: undefined,
          ...(tolerance !== undefined && { clockToleranceSeconds: tolerance }),
        })(`Bearer ${await tokenOf({ sub: 'ada', [claim]: from(seconds) })}`);
      expect(await asked(within)).toBe('ada');
      await expect(asked(beyond)).rejects.toMatchObject(refused);
      expect(await asked(beyond, 60)).toBe('ada');
      await expect(asked(within, 0)).rejects.toMatchObject(refused);
    });
  });

  test.each([
    ['exp', '1e400'],
    ['nbf', '-1e400'],
    ['iat', '-1e400'],
    ['exp', '"9999999999"'],
  ])('a "%s" of %s is refused', async (claim, value) => {
    const claims = `{"sub":"ada","exp":9999999999,"${claim}":${value}}`;
    await expect(bearer(signed(claims))).rejects.toMatchObject({
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

describe('keys of a JWKS address', () => {
  const checksOf = (jwksUrl: string) => ({ jwksUrl, issuer: issued.iss, audience: issued.aud });

  /** A key pair, and tokens that it signs. */
  async function keyPair(alg: 'ES256' | 'RS256' = 'ES256') {
    const { privateKey, publicKey } = await generateKeyPair(alg);
    return {
      jwk: await exportJWK(publicKey),
      tokenOf: (header: { kid?: string } = {}, claims: JWTPayload = {}) =>
        new SignJWT({ ...issued, sub: 'ada', exp: anHourAgo() + 7200, ...claims })
          .setProtectedHeader({ alg, ...header })
          .sign(privateKey),
    };
  }

  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const unsignedBy = (header: object) =>
    `${part(header)}.${part({ ...issued, sub: 'ada', exp: 9999999999 })}.`;
  /** An RSA key of 1024 bits, whose modulus is as good as any. */
  const weak = { kty: 'RSA', n: Buffer.alloc(128, 0xc5).toString('base64url'), e: 'AQAB' };

  test('a key that is broken or weak signs nothing, and is never a fault of ours', async () => {
    await using issuer = await startIssuer();
    const good = await keyPair();
    const broken = [
      { kid: 'weak', ...weak },
      { kid: 'off the curve', kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' },
      { kid: 'no numbers', kty: 'EC', crv: 'P-256', x: 7, y: null },
      { kid: 'no modulus', kty: 'RSA' },
      { kid: 'unknown', kty: 'XYZ' },
      { kid: 'secret', kty: 'oct', k: 'AAAA' },
      { kid: 'for encryption', use: 'enc', ...good.jwk },
    ];
    issuer.publish([null, 'key', [], {}, ...broken, { kid: 'good', ...good.jwk }]);
    const authenticate = createAuthenticate(checksOf(issuer.jwksUrl));
    const algorithms = ['none', 'RS256', 'PS512', 'ES256', 'EdDSA', 'HS256', 'NONE', '', 7];
    const tokens = [...broken, { kid: undefined }].flatMap(({ kid }) =>
      algorithms.flatMap(alg => [unsignedBy({ alg, kid }), `${unsignedBy({ alg, kid })}AAAA`]),
    );
    await Promise.all(
      tokens.map(async token => {
        await expect(authenticate(`Bearer ${token}`)).rejects.toMatchObject(refused);
      }),
    );
    expect(await authenticate(`Bearer ${await good.tokenOf({ kid: 'good' })}`)).toBe('ada');
  });

  test('keys without a name and several of one name are all tried', async () => {
    await using issuer = await startIssuer();
    const [first, second, fourth, stranger] = [
      await keyPair(),
      await keyPair(),
      await keyPair(),
      await keyPair(),
    ];
    const third = await keyPair('RS256');
    issuer.publish([
      { kid: 'twin', kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' },
      { ...first.jwk, kid: 'twin' },
      { ...second.jwk, kid: 'twin' },
      third.jwk,
      fourth.jwk,
    ]);
    const authenticate = createAuthenticate(checksOf(issuer.jwksUrl));
    for (const token of [
      await first.tokenOf({ kid: 'twin' }),
      await second.tokenOf({ kid: 'twin' }),
      await second.tokenOf(),
      await third.tokenOf(),
      await fourth.tokenOf({ kid: 'a name that the issuer left out' }),
    ]) {
      expect(await authenticate(`Bearer ${token}`)).toBe('ada');
    }
    for (const header of [{}, { kid: 'twin' }]) {
      const token = await stranger.tokenOf(header);
      await expect(authenticate(`Bearer ${token}`)).rejects.toMatchObject(refused);
    }
    const expired = await second.tokenOf({}, { exp: anHourAgo() });
    await expect(authenticate(`Bearer ${expired}`)).rejects.toMatchObject({
      ...refused,
      message: 'The token has expired: get a new one.',
    });
  });

  test('known keys serve on for 24 hours while the issuer is away', async () => {
    await using issuer = await startIssuer();
    const checks = checksOf(issuer.jwksUrl);
    const hour = 3_600_000;
    let now = 0;
    const reasons: string[] = [];
    const keys = new RemoteKeys(checks.jwksUrl, { now: () => now, onStale: reason => reasons.push(reason) });
    const authenticate = createAuthenticate(checks, keys);
    const token = `Bearer ${await issuer.tokenOf({ sub: 'ada' })}`;
    expect([await authenticate(token), keys.state()]).toEqual(['ada', 'ok']);

    issuer.fail();
    for (now of [hour, 12 * hour, 24 * hour - 1]) {
      expect([await authenticate(token), keys.state()]).toEqual(['ada', 'stale']);
    }
    expect(reasons).toEqual([expect.stringContaining('AUTH_JWKS_URL cannot be had: it answered 500')]);

    now = 24 * hour;
    await expect(authenticate(token)).rejects.toThrow(KeysUnavailable);
    expect(keys.state()).toBe('unavailable');

    issuer.heal();
    now += hour;
    expect([await authenticate(token), keys.state()]).toEqual(['ada', 'ok']);
  });

  test('an answer that is no key set counts as none', async () => {
    await using issuer = await startIssuer();
    issuer.publish('no list' as never);
    const authenticate = createAuthenticate(checksOf(issuer.jwksUrl));
    const token = `Bearer ${await issuer.tokenOf({ sub: 'ada' })}`;
    await expect(authenticate(token)).rejects.toThrow(KeysUnavailable);
  });
});
