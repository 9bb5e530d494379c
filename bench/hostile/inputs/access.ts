import { get } from 'node:http';
import { type Input, request, type Target } from '../target.ts';

const query = { body: { query: '{ getLibraryTracks(first: 1) { id } }' } };
const part = (value: object | string) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** Keys as no issuer should publish them; the tokens below name them. */
export const uselessKeys = [
  { kid: 'broken', kty: 'RSA', n: 'AA', e: 'AQAB', alg: 'RS256', use: 'sig' },
  { kid: 'weak', kty: 'RSA', n: Buffer.alloc(64, 0xab).toString('base64url'), e: 'AQAB', alg: 'RS256' },
  { kid: 'half', kty: 'EC', crv: 'P-256', x: 'AA' },
  'no key at all',
  null,
];

/** Points 7 and 8: requests of nobody, in the name of another host, and with tokens that nobody should believe. */
export function accessInputs(target: Target): Input[] {
  const claims = { iss: 'https://issuer.example.com', aud: 'segue', sub: 'mallory' };
  const soon = Math.floor(Date.now() / 1000) + 3_600;
  const unsigned = (header: object, payload: object | string) =>
    `${part(header)}.${part(payload)}.${part('no signature')}`;
  const refused = { status: 401, has: 'UNAUTHENTICATED' };
  const by = (token: string) => ({ ...target, token });
  return [
    {
      name: '7: another Host',
      async once() {
        const status = await statusUnder('rebound.example.com', target);
        return status === 403 ? null : `not 403: ${status}`;
      },
    },
    ...['broken', 'weak', 'half'].map(kid =>
      request(
        `8: a token without a signature that names the ${kid} key`,
        by(unsigned({ alg: 'RS256', kid }, { ...claims, exp: soon })),
        query,
        refused,
      ),
    ),
    request(
      '8: a token that ends at 1e400',
      by(unsigned({ alg: 'ES256', kid: 'key-1' }, `{"sub":"mallory","exp":1e400}`)),
      query,
      refused,
    ),
    request('8: alg none', by(unsigned({ alg: 'none' }, { ...claims, exp: soon })), query, refused),
    request('8: no token', by(''), query, refused),
    request('8: no token at all, but words', by('x.y.z'), query, refused),
  ];
}

/** fetch sends no Host of ours. */
function statusUnder(host: string, { url, token }: Target): Promise<number> {
  return new Promise((resolve, reject) => {
    const path = `${url}/graphql?query=%7B__typename%7D`;
    const headers = { host, authorization: `Bearer ${token}`, 'graphql-require-preflight': '1' };
    get(path, { headers }, response => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    }).on('error', reject);
  });
}
