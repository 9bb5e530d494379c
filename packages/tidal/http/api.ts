import createClient, { type Client } from 'openapi-fetch';
import { z } from 'zod';
import { text } from '../document/text.ts';
import type { TidalPaths } from './paths.ts';
import { type Answer, type Asking, type Requests, refusal } from './request.ts';
import type { TokenSource } from './token.ts';

const errorsSchema = z.object({ errors: z.array(z.object({ detail: text })).min(1) });

/** Stands for a 404 of TIDAL's own: it knows no such item. */
export const notFound = Symbol('not found');

type Ask = (
  client: Client<TidalPaths, 'application/vnd.api+json'>,
  init: { headers: { authorization: string }; signal: AbortSignal },
) => Promise<Answer>;

/** Authorised questions to TIDAL's Web API. */
export type TidalApi = {
  /**
   * @param subject what is asked for, in the words of an error message: `album 123`
   * @returns the body, still to be read, or {@link notFound}
   * @throws TidalApiError
   */
  find(subject: string, asking: Asking, ask: Ask): Promise<unknown>;
  /** As `find`, for what must be there: a 404 is an error. */
  read(subject: string, asking: Asking, ask: Ask): Promise<unknown>;
};

/** @param apiUrl with `/v2` */
export function createTidalApi(apiUrl: string, requests: Requests, tokens: TokenSource): TidalApi {
  const client = createClient<TidalPaths, 'application/vnd.api+json'>({
    baseUrl: apiUrl,
    headers: { accept: 'application/vnd.api+json' },
    redirect: 'manual',
  });

  /** A 401 is asked again at once with a new token; it happens once a question and counts as no attempt. */
  function get(subject: string, asking: Asking, ask: Ask): Promise<Answer> {
    let mayRenew = true;
    return requests.send(subject, asking, async once => {
      for (;;) {
        const token = await tokens.current(asking.deadline);
        const headers = { authorization: `Bearer ${token}` };
        const answer = await once(signal => ask(client, { headers, signal }));
        if (answer.response.status !== 401) return withoutToken(answer, token);
        tokens.discard(token);
        if (!mayRenew) return withoutToken(answer, token);
        mayRenew = false;
      }
    });
  }

  return {
    async find(subject, asking, ask) {
      const answer = await get(subject, asking, ask);
      if (answer.response.ok) return answer.data;
      if (isNotFound(answer)) return notFound;
      throw apiRefusal(subject, answer);
    },
    async read(subject, asking, ask) {
      const answer = await get(subject, asking, ask);
      if (answer.response.ok) return answer.data;
      throw apiRefusal(subject, answer);
    },
  };
}

/** Some servers quote in an error what they were sent, and its detail is for the log. */
function withoutToken({ error, ...answer }: Answer, token: string): Answer {
  if (error === undefined) return answer;
  return { ...answer, error: JSON.parse(JSON.stringify(error).replaceAll(token, '[token]')) };
}

/** A web page with a 404 comes from a wrong TIDAL_API_URL; it must not make every item an unknown one. */
function isNotFound({ response }: Answer): boolean {
  return response.status === 404 && !response.headers.get('content-type')?.startsWith('text/html');
}

function apiRefusal(subject: string, answer: Answer) {
  const detail = errorsSchema.safeParse(answer.error).data?.errors[0]?.detail.slice(0, 200);
  return refusal(subject, answer, 'TIDAL_API_URL', detail === undefined ? '' : `: ${detail}`);
}
