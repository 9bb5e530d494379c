import { z } from 'zod';
import { readShape } from '../document/document.ts';
import type { Clock } from './clock.ts';
import { TidalApiError } from './error.ts';
import { type Answer, type Requests, refusal } from './request.ts';

const subject = 'an access token';

const tokenSchema = z.object({
  // Visible ASCII alone: fetch quotes the whole of a header that it refuses, and the token with it.
  access_token: z.string().regex(/^[\x21-\x7e]+$/),
  /** Seconds. */
  expires_in: z.number(),
});

const errorSchema = z.object({ error: z.string() });

export type TokenSource = {
  /**
   * A token that is not about to expire. Callers at the same time share one request for it.
   *
   * @param deadline on the clock, in ms
   * @throws TidalApiError, not retryable when TIDAL refuses the credentials
   */
  current(deadline: number): Promise<string>;
  /** Forgets a token that TIDAL has refused, unless another has taken its place already. */
  discard(token: string): void;
};

export type TokenSourceOptions = {
  authUrl: string;
  clientId: string;
  clientSecret: string;
  requests: Requests;
  /** For one request of a token with all of its retries, in ms. */
  totalTimeoutMs: number;
  clock: Clock;
};

/** Gets tokens for the client credentials and keeps the current one. */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const { requests, totalTimeoutMs, clock } = options;
  let cached: { token: string; renewAt: number } | null = null;
  let pending: Promise<string> | null = null;

  async function fetchToken(): Promise<string> {
    const answer = await requests.send(
      subject,
      { deadline: clock.now() + totalTimeoutMs, urgency: 'token' },
      once => once(signal => postCredentials(options, signal)),
    );
    if (!answer.response.ok) throw tokenRefusal(answer);
    const { access_token: token, expires_in: seconds } = readShape(tokenSchema, answer.data, subject);
    // A minute early, so that no request is under way with a token that expires; but no more than a tenth of
    // its life, so that a short-lived token is used at all.
    cached = { token, renewAt: clock.now() + seconds * 1000 - Math.min(60_000, seconds * 100) };
    return token;
  }

  /** The request is shared, and may outlast the time of one who waits for it. */
  async function until(deadline: number, token: Promise<string>): Promise<string> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () =>
        late.reject(
          new TidalApiError('TIDAL did not answer in time for an access token', {
            retryable: true,
            status: null,
          }),
        ),
      deadline - clock.now(),
    );
    try {
      return await Promise.race([token, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    async current(deadline) {
      if (cached !== null && clock.now() < cached.renewAt) return cached.token;
      pending ??= fetchToken().finally(() => {
        pending = null;
      });
      return until(deadline, pending);
    },
    discard(token) {
      if (cached?.token === token) cached = null;
    },
  };
}

async function postCredentials(
  { authUrl, clientId, clientSecret }: TokenSourceOptions,
  signal: AbortSignal,
): Promise<Answer> {
  const response = await fetch(authUrl, {
    method: 'POST',
    headers: { accept: 'application/json' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
    }),
    redirect: 'manual',
    signal,
  });
  if (response.ok) return { response, data: await response.json() };
  return { response, error: await response.json().catch(() => undefined) };
}

/** Nothing of the answer's text is quoted: TIDAL's `error_description` holds the client id. */
function tokenRefusal(answer: Answer): TidalApiError {
  const { status } = answer.response;
  const invalidClient = errorSchema.safeParse(answer.error).data?.error === 'invalid_client';
  if (status !== 401 && !(status === 400 && invalidClient)) return refusal(subject, answer, 'TIDAL_AUTH_URL');
  return new TidalApiError(
    `TIDAL answered ${status} and refused the credentials: check TIDAL_CLIENT_ID and TIDAL_CLIENT_SECRET`,
    { retryable: false, status },
  );
}
