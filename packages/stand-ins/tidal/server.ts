import type { FastifyReply, FastifyRequest } from 'fastify';
import { type AnswerWith, installFaults } from '../faults.ts';
import { type Address, bareServer, bodyOf, listen, type RunningServer, sendJson } from '../server.ts';
import type { Catalogue } from './catalogue.ts';
import { type Document, type DocumentRequest, documentsOf } from './documents.ts';
import { InvalidRequest, type ResourceType, readInclude } from './include.ts';
import { type RateLimit, tokenBucketOf } from './rateLimit.ts';
import { sampleCatalogue } from './sampleCatalogue.ts';
import { type Credentials, tokensFor } from './tokens.ts';

export type TidalOptions = Address &
  Partial<Credentials> & {
    catalogue?: Catalogue;
    /** None by default. */
    rateLimit?: RateLimit;
  };

export type TidalStandIn = RunningServer &
  Credentials & {
    /** Base with `/v2`, for `TIDAL_API_URL`. */
    apiUrl: string;
    /** The token endpoint, for `TIDAL_AUTH_URL`. */
    authUrl: string;
    answerWith: AnswerWith;
    /** Holds clients to a limit from now on, with a full bucket; null lifts it. */
    limitRate(limit: RateLimit | null): void;
  };

const jsonApi = 'application/vnd.api+json';
/** Ids that `/tracks` takes in one request. */
const maxIds = 20;

type Query = Record<string, string | string[] | undefined>;
type ApiRequest = FastifyRequest<{ Params: { id: string }; Querystring: Query }>;

/**
 * Starts the part of TIDAL's API that a library needs: the token endpoint, tracks one by one and by ids,
 * albums, and an album's items. It follows the OpenAPI document 1.10: `relationships` hold what `include`
 * names and nothing else. The country must be named but changes nothing. A rate limit answers 429 without `Retry-After`
 * and describes its bucket in `x-ratelimit-…` headers, as TIDAL does.
 *
 * @throws `EADDRINUSE` when the port is taken
 */
export async function startTidal(options: TidalOptions = {}): Promise<TidalStandIn> {
  const { clientId = 'stand-in', clientSecret = 'stand-in', catalogue = sampleCatalogue } = options;
  const tokens = tokensFor({ clientId, clientSecret });
  const documents = documentsOf(catalogue);
  const app = bareServer(1024 * 1024);
  const answerWith = installFaults(app);
  let takeTokens = options.rateLimit === undefined ? null : tokenBucketOf(options.rateLimit);

  app.post('/v1/oauth2/token', (request, reply) => {
    const { status, body } = tokens.issue(new URLSearchParams(bodyOf(request).toString()));
    sendJson(reply.code(status), body);
  });

  app.register(
    async api => {
      api.addHook('onRequest', (request, reply, done) => {
        if (!tokens.accepts(request.headers.authorization)) return sendUnauthorised(reply);
        const verdict = takeTokens?.();
        reply.headers(verdict?.headers ?? {});
        if (verdict?.allowed === false) return sendError(reply, 429, 'Rate limit exceeded');
        done();
      });
      api.get('/tracks/:id', (request: ApiRequest, reply) => {
        sendDocument(reply, documents.track(request.params.id, readRequest(request, 'tracks')));
      });
      api.get('/tracks', (request: ApiRequest, reply) => {
        sendDocument(reply, documents.tracks(readIds(request.query), readRequest(request, 'tracks')));
      });
      api.get('/albums/:id', (request: ApiRequest, reply) => {
        sendDocument(reply, documents.album(request.params.id, readRequest(request, 'albums')));
      });
      api.get('/albums/:id/relationships/items', (request: ApiRequest, reply) => {
        const asked = readRequest(request, 'albums', 'items');
        const cursor = one(request.query, 'page[cursor]');
        sendDocument(reply, documents.albumItems(request.params.id, cursor, asked));
      });
    },
    { prefix: '/v2' },
  );

  app.setNotFoundHandler((_request, reply) => sendDocument(reply, null));
  app.setErrorHandler((error: Error, _request, reply) => {
    if (error instanceof InvalidRequest) sendError(reply, 400, error.message);
    else sendError(reply, 500, 'Internal server error');
  });

  const server = await listen(app, options);
  const { url } = server;
  return {
    ...server,
    clientId,
    clientSecret,
    apiUrl: `${url}/v2`,
    authUrl: `${url}/v1/oauth2/token`,
    answerWith,
    limitRate(limit) {
      takeTokens = limit === null ? null : tokenBucketOf(limit);
    },
  };
}

/** @throws {InvalidRequest} without a country, or for an include that leads nowhere */
function readRequest({ query }: ApiRequest, type: ResourceType, only?: string): DocumentRequest {
  const countryCode = one(query, 'countryCode') ?? '';
  if (!/^[A-Z]{2}$/.test(countryCode))
    throw new InvalidRequest('countryCode must be an ISO 3166-1 alpha-2 code');
  const include = readInclude(query.include, type, only);
  return { countryCode, include, includeText: all(query, 'include').join(',') };
}

function readIds(query: Query): string[] {
  const ids = all(query, 'filter[id]')
    .flatMap(part => part.split(','))
    .filter(id => id !== '');
  if (ids.length === 0) throw new InvalidRequest('At least one filter is required: filter[id]');
  if (ids.length > maxIds) throw new InvalidRequest(`filter[id] must have at most ${maxIds} values`);
  return ids;
}

function all(query: Query, name: string): string[] {
  return [query[name] ?? []].flat();
}

function one(query: Query, name: string): string | undefined {
  return all(query, name)[0];
}

function sendDocument(reply: FastifyReply, document: Document | null): void {
  if (document === null) sendError(reply, 404, 'Resource not found');
  else sendJson(reply, document, jsonApi);
}

function sendError(reply: FastifyReply, status: number, detail: string): void {
  sendJson(reply.code(status), { errors: [{ status: String(status), detail }] }, jsonApi);
}

/** Other than the rest, this error was seen without a `status`. */
function sendUnauthorised(reply: FastifyReply): void {
  const detail = 'Invalid or missing Authorization Header';
  const error = { code: 'UNAUTHORIZED', detail, meta: { category: 'AUTHENTICATION_ERROR' } };
  sendJson(reply.code(401), { errors: [error] }, jsonApi);
}
