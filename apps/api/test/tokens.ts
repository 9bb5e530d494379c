import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

/** Constructed, and long enough for HS256. */
export const sharedSecret = 'hidden-secret-of-tests-with-32-characters-and-more';

/** What {@link startIssuer}'s tokens say unless the test says otherwise. */
export const issued = { iss: 'https://issuer.example.com', aud: 'segue' };

const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;

/** A token that is signed with a shared secret. Undefined takes a claim out. */
export async function tokenOf(claims: JWTPayload, secret = sharedSecret, alg = 'HS256'): Promise<string> {
  return await new SignJWT({ exp: inAnHour(), ...claims })
    .setProtectedHeader({ alg })
    .sign(new TextEncoder().encode(secret));
}

/** A token with `alg: none`, and no signature. */
export function unsignedToken(claims: JWTPayload): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ exp: inAnHour(), ...claims })}.`;
}

/** An identity provider that publishes its keys. */
export type Issuer = AsyncDisposable & {
  jwksUrl: string;
  /** Requests for the keys so far. */
  fetches(): number;
  /** Makes a new key and withdraws the one before. */
  rotate(): Promise<void>;
  /** Publishes these as they are, in place of its own key. */
  publish(keys: unknown[]): void;
  /** Answers requests for the keys with an error from now on. */
  fail(): void;
  heal(): void;
  tokenOf(claims: JWTPayload): Promise<string>;
  /** The public key as text, which must not pass for a shared secret. */
  publicKey(): string;
};

export async function startIssuer(): Promise<Issuer> {
  let fetches = 0;
  let failing = false;
  let made = 0;
  let published: unknown[] | undefined;
  let current = await makeKey();
  async function makeKey() {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const kid = `key-${++made}`;
    return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } };
  }
  const server = createServer((_request, response) => {
    fetches++;
    if (failing) response.writeHead(500).end('out of order');
    else
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ keys: published ?? [current.jwk] }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    jwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
    fetches: () => fetches,
    async rotate() {
      current = await makeKey();
    },
    publish(keys) {
      published = keys;
    },
    fail() {
      failing = true;
    },
    heal() {
      failing = false;
    },
    tokenOf: claims =>
      new SignJWT({ ...issued, exp: inAnHour(), ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: current.kid })
        .sign(current.privateKey),
    publicKey: () => JSON.stringify(current.jwk),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
