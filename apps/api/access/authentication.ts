import { errors, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from 'jose';
import { Refusal } from '../http/refusal.ts';
import { KeysUnavailable, remoteKeys } from './remoteKeys.ts';

/**
 * Says whose request it is.
 *
 * @param authorization the request's header
 * @throws Refusal `UNAUTHENTICATED` when it is nobody's, and `AUTHENTICATION_UNAVAILABLE` when that cannot be told
 */
export type Authenticate = (authorization: string | undefined) => Promise<string>;

/** How tokens are checked: null when nobody has to say who they are. */
export type TokenChecks =
  | { jwksUrl: string; issuer: string; audience: string }
  | { secret: string; issuer: string | undefined; audience: string | undefined }
  | null;

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

export function createAuthenticate(checks: TokenChecks): Authenticate {
  if (checks === null) return async () => localUser;
  const verify = verifierOf(checks);
  return async authorization => {
    const token = bearer.exec(authorization ?? '')?.[1];
    if (token === undefined) {
      throw unauthenticated('This API wants to know who asks: send "Authorization: Bearer <token>".');
    }
    return subjectOf(await claimsOf(token, verify));
  };
}

type Verify = (token: string) => Promise<JWTPayload>;

function verifierOf(checks: NonNullable<TokenChecks>): Verify {
  const { issuer, audience } = checks;
  const options: JWTVerifyOptions = {
    // A token without an end would be good for as long as its key.
    requiredClaims: ['sub', 'exp'],
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
  };
  if ('secret' in checks) {
    const key = new TextEncoder().encode(checks.secret);
    return async token =>
      (await jwtVerify(token, key, { ...options, algorithms: algorithms.sharedSecret })).payload;
  }
  const keys: JWTVerifyGetKey = remoteKeys(checks.jwksUrl);
  return async token =>
    (await jwtVerify(token, keys, { ...options, algorithms: algorithms.publicKey })).payload;
}

async function claimsOf(token: string, verify: Verify): Promise<JWTPayload> {
  try {
    return await verify(token);
  } catch (error) {
    if (error instanceof KeysUnavailable) throw error;
    if (error instanceof errors.JWTExpired) throw unauthenticated('The token has expired: get a new one.');
    if (error instanceof errors.JWTClaimValidationFailed) {
      throw unauthenticated(`The token is not for here: its "${error.claim}" is missing or wrong.`);
    }
    if (error instanceof errors.JOSEError) {
      throw unauthenticated('The token is malformed, or not signed by a key that is trusted here.');
    }
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

function unauthenticated(message: string): Refusal {
  return new Refusal('UNAUTHENTICATED', 401, message);
}
