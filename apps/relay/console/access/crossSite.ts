import type { IncomingHttpHeaders } from 'node:http';

type Asked = {
  method: string;
  headers: IncomingHttpHeaders;
  /** Under which the browser knows us. */
  host: string;
  /** Whether it brings a token that no browser adds by itself. */
  bearer: boolean;
};

/**
 * Whether another site may have made the browser send this. Browsers say in `Sec-Fetch-Site` where a request was made,
 * to HTTPS and to this machine; over plain HTTP they send `Origin` with a form. No token in the form is needed, and none
 * can run out while somebody thinks.
 */
export function isCrossSite({ method, headers, host, bearer }: Asked): boolean {
  if (method === 'GET' || method === 'HEAD') return false;
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const { origin } = headers;
  if (origin !== undefined) return URL.parse(origin)?.host !== host;
  return !bearer;
}
