import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { MercuriusOptions } from 'mercurius';
import { Refusal } from './refusal.ts';

const graphqlResponse = 'application/graphql-response+json';

/**
 * Reads and writes bodies as GraphQL over HTTP wants them, where mercurius 16.10 does not: a content type in any case,
 * UTF-8 and no encoding alone, `null` for parameters that are not there, and `application/graphql-response+json`.
 */
export function speakMediaTypes(server: FastifyInstance): void {
  server.addHook('onRequest', async (request, reply) => {
    if (!isPost(request)) return;
    const { headers } = request.raw;
    if (isEncoded(headers['content-encoding'])) {
      reply.header('accept-encoding', 'identity');
      throw new Refusal('BAD_REQUEST', 415, 'The body has a Content-Encoding: send it without.');
    }
    const type = headers['content-type'];
    if (type === undefined) return;
    if (!isUtf8(type)) throw new Refusal('BAD_REQUEST', 415, 'The body must be in UTF-8.');
    // mercurius compares a type that has no parameters by its case.
    headers['content-type'] = type.trim().toLowerCase();
  });

  server.addHook('preValidation', async request => {
    const { body } = request;
    if (!isPost(request) || typeof body !== 'object' || body === null) return;
    for (const name of ['variables', 'extensions'] as const) {
      const value = (body as Record<string, unknown>)[name];
      // Fastify would make null of 0 and false.
      if (value === null) delete (body as Record<string, unknown>)[name];
      else if (typeof value === 'number' || typeof value === 'boolean') {
        throw new Refusal('BAD_REQUEST', 400, `"${name}" must be an object.`);
      }
    }
  });

  server.addHook('onSend', async (request, reply) => {
    if (!isGraphql(request) || responseTypeOf(request.headers.accept) !== graphqlResponse) return;
    if (String(reply.getHeader('content-type')).startsWith('application/json')) {
      reply.header('content-type', `${graphqlResponse}; charset=utf-8`);
    }
  });
}

type Format = NonNullable<MercuriusOptions['errorFormatter']>;

/**
 * The same formatter for clients that name a media type. In `application/graphql-response+json` an answer to what was not
 * executed has no `data`. A client that names `application/json` alone can take another status than 200 for the answer of
 * a proxy, so it is told of a fault in its document or its variables with 200.
 */
export function answerByMediaType(format: Format): Format {
  return (execution, context) => {
    const answer = format(execution, context);
    const { statusCode, response } = answer;
    if (statusCode === 200 || response.data) return answer;
    const type = responseTypeOf(context.reply.request.headers.accept);
    if (type === graphqlResponse) {
      const { data: _, ...rest } = response;
      return { statusCode, response: rest as typeof response };
    }
    const isOurs = execution.errors?.some(({ originalError }) => isOfHttp(originalError));
    const isFault = statusCode === 400 && !isOurs;
    return type === 'application/json' && isFault ? { statusCode: 200, response } : answer;
  };
}

/** Whether it is something else than a fault that GraphQL finds in a document or in variables. */
function isOfHttp(error: (Error & { code?: string }) | null | undefined): boolean {
  if (error instanceof Refusal) return true;
  return error?.code !== undefined && error.code !== 'MER_ERR_GQL_VALIDATION';
}

/** The media type that a client names and likes best; undefined when it leaves the choice to us. */
function responseTypeOf(accept: string | undefined): typeof graphqlResponse | 'application/json' | undefined {
  const qualities = new Map<string, number>();
  for (const range of (accept ?? '').toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map(part => part.trim());
    const quality = parameters.find(parameter => parameter.startsWith('q='))?.slice(2) ?? '1';
    qualities.set(type, Number(quality) || 0);
  }
  const ofGraphql = qualities.get(graphqlResponse) ?? 0;
  const named = qualities.get('application/json') ?? 0;
  const ofJson = Math.max(named, qualities.get('application/*') ?? 0, qualities.get('*/*') ?? 0);
  if (ofGraphql > 0 && ofGraphql >= ofJson) return graphqlResponse;
  return named > 0 ? 'application/json' : undefined;
}

function isGraphql(request: FastifyRequest): boolean {
  return request.routeOptions.url === '/graphql';
}

function isPost(request: FastifyRequest): boolean {
  return request.method === 'POST' && isGraphql(request);
}

function isEncoded(encoding: string | undefined): boolean {
  return encoding !== undefined && encoding.trim().toLowerCase() !== 'identity';
}

/** A content type says its charset by a parameter, which may be quoted; one that it does not name is UTF-8. */
function isUtf8(type: string): boolean {
  return [...type.matchAll(/;\s*charset\s*=\s*"?([^";]*)/gi)].every(([, charset = '']) =>
    /^utf-?8$/i.test(charset.trim()),
  );
}
