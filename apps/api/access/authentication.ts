import { decodeProtectedHeader, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import { Refusal } from '../http/refusal.ts';
import { KeysUnavailable, RemoteKeys } from './remoteKeys.ts';

/**
 * Says whose request it is.
 *
 * @param authorization the request's header
 * @throws Refusal `UNAUTHENTICATED` when it is nobody's, and `AUTHENTICATION_UNAVAILABLE` when that cannot be told
 */
export type Authenticate = (authorization: string | undefined) => Promise<string>;

/** How tokens are checked: null when nobody has to say who they are. */
export type TokenChecks =
  | ({ jwksUrl: string; issuer: string; audience: string } & ClockTolerance)
  | ({ secret: string; issuer: string | undefined; audience: string | undefined } & ClockTolerance)
  | null;

/** By how many seconds the issuer's clock may be wrong; 5 unless said otherwise. */
type ClockTolerance = { clockToleranceSeconds?: number };

export const defaultClockToleranceSeconds = 5;

/** Whose library it is as long as nobody has to say who they are. */
export const localUser = 'local';

/** Never both kinds at once: a public key, which all can read, must not pass for a shared secret. */
const algorithms = {
  publicKey: [
    'RS256',
    'RS384',
    'RS512',
    'PS256',
    'PS384',
    'PS512',
    'ES256',
    'ES384',
    'ES512',
    'EdDSA',
    'Ed25519',
  ],
  sharedSecret: ['HS256', 'HS384', 'HS512'],
};

/** RFC 6750 writes the scheme so; RFC 9110 wants it read in any case. */
const bearer = /^Bearer +([\w.~+/-]+=*) *$/i;

/** As OpenID Connect limits `sub`. */
const longestSubject = 255;

/** The keys of an identity provider, where tokens are checked by those. */
export function keysOf(checks: TokenChecks, onStale?: (reason: string) => void): RemoteKeys | null {
  return checks !== null && 'jwksUrl' in checks
    ? new RemoteKeys(checks.jwksUrl, { ...(onStale && { onStale }) })
    : null;
}

/** @param keys those of `keysOf`, where somebody else wants to know their state */
export function createAuthenticate(
  checks: TokenChecks,
  keys: RemoteKeys | null = keysOf(checks),
): Authenticate {
  if (checks === null) return async () => localUser;
  const verify = verifierOf(checks, keys);
  return async authorization => {
    const token = bearer.exec(authorization ?? '')?.[1];
    if (token === undefined) {
      throw unauthenticated('This API wants to know who asks: send "Authorization: Bearer <token>".');
    }
    return subjectOf(await claimsOf(token, verify));
  };
}

type Verify = (token: string) => Promise<JWTPayload>;

function verifierOf(checks: NonNullable<TokenChecks>, keys: RemoteKeys | null): Verify {
  const { issuer, audience, clockToleranceSeconds = defaultClockToleranceSeconds } = checks;
  const options: JWTVerifyOptions = {
    // A token without an end would be good for as long as its key.
    requiredClaims: ['sub', 'exp'],
    clockTolerance: clockToleranceSeconds,
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
  };
  const verify =
    'secret' in checks
      ? verifierBySecret(checks.secret, options)
      : verifierByKeys(keys as RemoteKeys, options);
  return async token => {
    const claims = await verify(token);
    demandTimes(claims, clockToleranceSeconds);
    return claims;
  };
}

function verifierBySecret(secret: string, options: JWTVerifyOptions): Verify {
  const key = new TextEncoder().encode(secret);
  return async token =>
    (await jwtVerify(token, key, { ...options, algorithms: algorithms.sharedSecret })).payload;
}

function verifierByKeys(keys: RemoteKeys, options: JWTVerifyOptions): Verify {
  return async token => {
    const { alg, kid } = headerOf(token);
    // Before any key is looked for: a token that nobody signed is not worth a question to the issuer.
    if (!algorithms.publicKey.includes(alg ?? '')) throw notTrusted();
    const payload = await keys.verify(token, kid, { ...options, algorithms: algorithms.publicKey });
    if (payload === null) throw notTrusted();
    return payload;
  };
}

function headerOf(token: string): { alg?: string; kid?: string } {
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    return { ...(typeof alg === 'string' && { alg }), ...(typeof kid === 'string' && { kid }) };
  } catch {
    throw notTrusted();
  }
}

/**
 * What the library leaves open: JSON's 1e400 is read as infinity, a moment that never comes, and a token that is issued in
 * the future passes.
 */
function demandTimes(claims: JWTPayload, toleranceSeconds: number): void {
  const { exp, nbf, iat } = claims;
  for (const [claim, seconds] of Object.entries({ exp, nbf, iat })) {
    if (seconds !== undefined && !Number.isFinite(seconds)) throw wrongClaim(claim);
  }
  if (iat !== undefined && iat > Date.now() / 1000 + toleranceSeconds) throw wrongClaim('iat');
}

async function claimsOf(token: string, verify: Verify): Promise<JWTPayload> {
  try {
    return await verify(token);
  } catch (error) {
    if (error instanceof KeysUnavailable || error instanceof Refusal) throw error;
    if (error instanceof errors.JWTExpired) throw unauthenticated('The token has expired: get a new one.');
    if (error instanceof errors.JWTClaimValidationFailed) throw wrongClaim(error.claim);
    if (error instanceof errors.JOSEError) throw notTrusted();
    throw error;
  }
}

/** PostgreSQL keeps no NUL, and of two halves of characters would make one user. */
function subjectOf({ sub }: { sub?: unknown }): string {
  const isUser =
    typeof sub === 'string' &&
    sub !== '' &&
    sub.length <= longestSubject &&
    !sub.includes('\0') &&
    sub.isWellFormed();
  if (isUser) return sub;
  throw unauthenticated(`The token's "sub" must be text of 1 to ${longestSubject} characters.`);
}

function wrongClaim(claim: string): Refusal {
  return unauthenticated(`The token is not for here: its "${claim}" is missing or wrong.`);
}

function notTrusted(): Refusal {
  return unauthenticated('The token is malformed, or not signed by a key that is trusted here.');
}

function unauthenticated(message: string): Refusal {
  return new Refusal('UNAUTHENTICATED', 401, message);
}
