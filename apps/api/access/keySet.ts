import {
  createLocalJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';

type Key = { kid: unknown; find: ReturnType<typeof createLocalJWKSet> };

/** The keys that an issuer has published at one moment. */
export class KeySet {
  /** On `performance.now()`. */
  readonly askedAt: number;
  readonly #keys: Key[];

  /**
   * @param document as the issuer answered it; a member that is no key at all is left out
   * @throws Error when it is no JSON Web Key Set
   */
  constructor(document: unknown, askedAt: number) {
    const keys = (document as Partial<JSONWebKeySet> | null)?.keys;
    if (!Array.isArray(keys)) throw new Error('the answer is no JSON Web Key Set');
    this.askedAt = askedAt;
    this.#keys = keys.flatMap(jwk => {
      try {
        return { kid: jwk.kid, find: createLocalJWKSet({ keys: [jwk] }) };
      } catch {
        return [];
      }
    });
  }

  has(kid: string | undefined): boolean {
    return kid !== undefined && this.#keys.some(key => key.kid === kid);
  }

  /**
   * Tries the keys that the token names, and those without a name; all when it names none. A key that cannot be used (it
   * is broken, too short, or of another kind) verifies nothing.
   *
   * @returns null when none of them has signed the token
   * @throws errors.JOSEError for a token that is signed, and not good for another reason
   */
  async verify(
    token: string,
    kid: string | undefined,
    options: JWTVerifyOptions,
  ): Promise<JWTPayload | null> {
    const candidates = this.#keys.filter(
      key => kid === undefined || key.kid === kid || key.kid === undefined,
    );
    for (const { find } of candidates) {
      try {
        return (await jwtVerify(token, ({ kid: _, ...header }) => find(header), options)).payload;
      } catch (error) {
        if (isVerdict(error)) throw error;
      }
    }
    return null;
  }
}

/** Whether another key would say the same: these are about what is in the token. */
function isVerdict(error: unknown): boolean {
  return (
    error instanceof errors.JWTExpired ||
    error instanceof errors.JWTClaimValidationFailed ||
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JWSInvalid
  );
}
