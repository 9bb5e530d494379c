import { httpUrl, readEnvironment, secret } from '@segue/process/environment.ts';
import { z } from 'zod';
import { type Check, failure, ok, skipped, warning, whyNoAnswer } from './check.ts';

/** What the check of TIDAL reads of the environment. */
export const schema = z.object({
  TIDAL_AUTH_URL: httpUrl.default('https://auth.tidal.com/v1/oauth2/token'),
  TIDAL_CLIENT_ID: secret.optional(),
  TIDAL_CLIENT_SECRET: secret.optional(),
});

/** TIDAL gives a token for the credentials. Nothing of its answer is told: it repeats the client's id. */
export const tidal: Check = {
  name: 'tidal',
  after: [],
  timeoutMs: 5_000,
  async run({ environment, signal }) {
    const {
      TIDAL_AUTH_URL: url,
      TIDAL_CLIENT_ID: id,
      TIDAL_CLIENT_SECRET: password,
    } = readEnvironment(schema, environment);
    if (!id || !password) return skipped('TIDAL_CLIENT_ID and TIDAL_CLIENT_SECRET are not set here');
    const { host } = new URL(url);
    let response: Response;
    try {
      response = await fetch(url, {
        method: 'POST',
        headers: { accept: 'application/json' },
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: id,
          client_secret: password,
        }),
        redirect: 'manual',
        signal,
      });
      await response.body?.cancel();
    } catch (error) {
      return failure(
        `${host} does not answer: ${whyNoAnswer(error)}`,
        'check TIDAL_AUTH_URL. Additions that ask TIDAL fail meanwhile, and people may try again',
      );
    }
    if (response.ok) return ok(`${host} gives a token`);
    if (response.status === 429) {
      return warning(`${host} answers 429`, 'others use the same credentials: wait, and look who');
    }
    return failure(
      `${host} answers ${response.status}: it gives no token for the credentials`,
      'set TIDAL_CLIENT_ID and TIDAL_CLIENT_SECRET, and restart the API (docs/runbook/secrets.md)',
    );
  },
};
