import { setTimeout as wait } from 'node:timers/promises';
import { reasonOf } from '@segue/process/reason.ts';
import type { JWTPayload, JWTVerifyOptions } from 'jose';
import { KeySet } from './keySet.ts';

/** The issuer's keys cannot be had. That says nothing of the token. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

/** `stale`: the issuer does not answer, and the keys that it published last serve on. */
export type KeysState = 'ok' | 'stale' | 'unavailable';

const fetchWithinMs = 5_000;
/** How long a key that the issuer has withdrawn may still be good while the issuer answers. */
const renewAfterMs = 10 * 60_000;
/** And while it does not. */
const serveOnForMs = 24 * 3_600_000;
/**
 * Tokens with made-up key ids must not make us ask the issuer more than once a second; nor must one whose key
 * is new be refused, so it waits.
 */
const betweenFetchesMs = 1_000;

type Options = {
  /** Told when keys begin to be stale, and why. */
  onStale?: (reason: string) => void;
  /** Milliseconds that only ever rise. */
  now?: () => number;
};

/**
 * The keys of a JWKS address. They are fetched when first needed, every 10 minutes, and when a token is signed by none
 * of them and names none of them: a rotated key.
 */
export class RemoteKeys {
  readonly #url: string;
  readonly #onStale: (reason: string) => void;
  readonly #now: () => number;
  #keys: KeySet | null = null;
  #fetching: Promise<KeySet> | null = null;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #failed = false;

  constructor(url: string, { onStale = () => {}, now = () => performance.now() }: Options = {}) {
    this.#url = url;
    this.#onStale = onStale;
    this.#now = now;
  }

  /**
   * @param kid the key that the token's header names
   * @returns null when the token is signed by none of the keys
   * @throws KeysUnavailable when that cannot be told
   * @throws errors.JOSEError for a token that is signed, and not good for another reason
   */
  async verify(
    token: string,
    kid: string | undefined,
    options: JWTVerifyOptions,
  ): Promise<JWTPayload | null> {
    const askedAt = this.#now();
    const keys = await this.#current();
    const payload = await keys.verify(token, kid, options);
    if (payload !== null || keys.has(kid) || keys.askedAt >= askedAt) return payload;
    const renewed = await this.#fetch();
    return await renewed.verify(token, kid, options);
  }

  /** Whether tokens can be checked. Asking also tries to get out of a bad state. */
  state(): KeysState {
    if (!this.#failed) return 'ok';
    this.#fetch().catch(() => {});
    return this.#keys !== null && this.#age(this.#keys) < serveOnForMs ? 'stale' : 'unavailable';
  }

  #age(keys: KeySet): number {
    return this.#now() - keys.askedAt;
  }

  async #current(): Promise<KeySet> {
    const known = this.#keys;
    if (known === null || this.#age(known) >= serveOnForMs) return await this.#fetch();
    if (this.#age(known) < renewAfterMs) return known;
    const renewed = this.#fetch().catch(() => known);
    // Once the issuer is known to be away, nobody waits for it.
    return this.#failed ? known : await renewed;
  }

  #fetch(): Promise<KeySet> {
    this.#fetching ??= this.#fetchInTurn().finally(() => (this.#fetching = null));
    return this.#fetching;
  }

  async #fetchInTurn(): Promise<KeySet> {
    const early = betweenFetchesMs - (this.#now() - this.#fetchedAt);
    if (early > 0) await wait(early);
    const askedAt = this.#now();
    try {
      this.#keys = new KeySet(await read(this.#url), askedAt);
      this.#failed = false;
      return this.#keys;
    } catch (error) {
      const reason = `the keys of AUTH_JWKS_URL cannot be had: ${reasonOf(error)}`;
      if (!this.#failed && this.#keys !== null) this.#onStale(reason);
      this.#failed = true;
      throw new KeysUnavailable(reason);
    } finally {
      this.#fetchedAt = this.#now();
    }
  }
}

/** @throws Error when the issuer does not answer JSON */
async function read(url: string): Promise<unknown> {
  const response = await fetch(url, {
    headers: { accept: 'application/json, application/jwk-set+json' },
    redirect: 'manual',
    signal: AbortSignal.timeout(fetchWithinMs),
  });
  if (response.status === 200) return await response.json();
  await response.body?.cancel();
  throw new Error(`it answered ${response.status}`);
}
