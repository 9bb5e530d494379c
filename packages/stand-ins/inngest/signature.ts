import { createHash, createHmac } from 'node:crypto';

/** A signing key is a prefix that names the environment, as `signkey-test-`, and 64 hexadecimal digits. */
const prefix = /^signkey-\w+-/;

/** What an app sends as its bearer token: the hash of the signing key, the key's prefix before it. */
export function hashSigningKey(key: string): string {
  const [environment = ''] = prefix.exec(key) ?? [];
  const digits = Buffer.from(key.replace(prefix, ''), 'hex');
  return environment + createHash('sha256').update(digits).digest('hex');
}

/**
 * The header `x-inngest-signature` of a request: HMAC-SHA256 over its canonical body and the moment.
 *
 * @param seconds since 1970
 */
export function signatureOf(body: object, key: string, seconds = Math.floor(Date.now() / 1_000)): string {
  const mac = createHmac('sha256', key.replace(prefix, '')).update(`${canonical(body)}${seconds}`);
  return `t=${seconds}&s=${mac.digest('hex')}`;
}

/** The text of a value by RFC 8785: no white space, and the keys in the order of their UTF-16 units. */
function canonical(value: object): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
}
