import { httpUrl, readEnvironment, secret } from '@segue/process/environment.ts';
import { inngestDev, isDevMode } from '@segue/process/inngestMode.ts';
import { z } from 'zod';
import { type Check, failure, ok, skipped, whyNoAnswer } from './check.ts';

/** What the check of Inngest reads of the environment. */
export const schema = z.object({
  INNGEST_EVENT_API_BASE_URL: httpUrl.optional(),
  INNGEST_BASE_URL: httpUrl.optional(),
  INNGEST_EVENT_KEY: secret.optional(),
  INNGEST_DEV: inngestDev.optional(),
});

/** Where the SDK sends events, by its own order of the variables; null where nothing is configured. */
export function inngestAddress(environment: NodeJS.ProcessEnv): { base: string; key: string } | null {
  const given = readEnvironment(schema, environment);
  const dev = given.INNGEST_DEV;
  const devUrl = dev !== undefined && /^https?:/.test(dev) ? dev.replace(/\/+$/, '') : undefined;
  const devMode = isDevMode(dev);
  const { INNGEST_EVENT_API_BASE_URL: eventBase, INNGEST_BASE_URL: base, INNGEST_EVENT_KEY: key } = given;
  if (!key && !devMode) return null;
  return {
    base: eventBase ?? base ?? devUrl ?? (devMode ? 'http://localhost:8288' : 'https://inn.gs'),
    key: key ?? 'NO_EVENT_KEY_SET',
  };
}

/** Inngest answers and takes the key: asked with no event at all, so that nothing is started or counted. */
export const inngest: Check = {
  name: 'inngest',
  after: [],
  timeoutMs: 5_000,
  async run({ environment, signal }) {
    const address = inngestAddress(environment);
    if (address === null) return skipped('neither INNGEST_EVENT_KEY nor INNGEST_DEV is set here');
    const { base, key } = address;
    let response: Response;
    try {
      response = await fetch(`${base}/e/${encodeURIComponent(key)}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '[]',
        signal,
      });
      await response.body?.cancel();
    } catch (error) {
      return failure(
        `${base} does not answer: ${whyNoAnswer(error)}`,
        'check INNGEST_BASE_URL, and Inngest itself. Rows wait meanwhile, and none is lost (docs/runbook/inngest-down.md)',
      );
    }
    if (response.ok) return ok(`${base} answers and takes the key`);
    if ([401, 403, 404].includes(response.status)) {
      return failure(
        `${base} answers ${response.status}: it does not know the key`,
        'set INNGEST_EVENT_KEY to a key of this environment, and restart the relays',
      );
    }
    return failure(
      `${base} answers ${response.status}`,
      'see the status page of Inngest, or the log of its server',
    );
  },
};
