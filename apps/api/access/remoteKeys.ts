import { setTimeout as wait } from 'node:timers/promises';
import { reasonOf } from '@segue/process/reason.ts';
import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose';

/** The issuer's keys cannot be had. That says nothing of the token. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

const fetchWithinMs = 5_000;
/** How long a key that the issuer has withdrawn may still be good. */
const keepMs = 10 * 60_000;
/**
 * Tokens with made-up key ids must not make us ask the issuer more than once a second; nor must one whose key
 * is new be refused, so it waits.
 */
const betweenFetchesMs = 1_000;

/**
 * The keys of a JWKS address, fetched when first needed, every 10 minutes, and when a token names one that is
 * not among them: a rotated key.
 *
 * @throws KeysUnavailable when they cannot be fetched
 */
export function remoteKeys(url: string): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(new URL(url), {
    timeoutDuration: fetchWithinMs,
    cacheMaxAge: keepMs,
    cooldownDuration: betweenFetchesMs,
  });
  return async (header, token) => {
    try {
      return await keys(header, token).catch(async error => {
        if (!(error instanceof errors.JWKSNoMatchingKey) || !keys.coolingDown) throw error;
        await wait(betweenFetchesMs);
        return await keys(header, token);
      });
    } catch (error) {
      if (isAboutToken(error)) throw error;
      throw new KeysUnavailable(`the keys of AUTH_JWKS_URL cannot be had: ${reasonOf(error)}`);
    }
  };
}

function isAboutToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}
