import type { FastifyReply, FastifyRequest } from 'fastify';
import { type AnswerWith, installFaults } from '../faults.ts';
import { type Address, bareServer, bodyOf, listen, type RunningServer, sendJson } from '../server.ts';
import { answer, badFormat, notOffered, QdrantError } from './answers.ts';
import { describeCollection } from './collectionInfo.ts';
import { type Collection, openCollections } from './collections.ts';
import { readPoints, readRetrieval, readScroll, retrieve, scroll } from './points.ts';
import { readSparseConfig, readVectorsConfig } from './vectors.ts';

export type QdrantOptions = Address & {
  /** Asked for in `api-key` or as a bearer token, once it is set. */
  apiKey?: string;
  /** JSON lines; collections and points are still there after a restart. */
  file?: string;
};

export type QdrantStandIn = RunningServer & { answerWith: AnswerWith };

/** `max_request_size_mb` of Qdrant's own configuration. */
const maxBodyBytes = 32 * 1024 * 1024;
const openPaths = new Set(['/', '/healthz', '/livez', '/readyz']);

type CollectionRequest = FastifyRequest<{ Params: { name: string }; Querystring: { wait?: string } }>;

/**
 * Starts the part of Qdrant 1.19 that an existence check and its worker need: create a collection and its payload
 * indexes, ask for it, delete it; upsert with dense and sparse vectors, retrieve by id, scroll, count. What Qdrant
 * can do beyond that (search, filters, batches in columns) is answered with a 501 or a 404, never with a made-up
 * result.
 *
 * @throws `EADDRINUSE` when the port is taken; an error naming the file when that cannot be read
 */
export async function startQdrant(options: QdrantOptions = {}): Promise<QdrantStandIn> {
  const app = bareServer(maxBodyBytes);
  const collections = openCollections(options.file);
  app.addHook('onClose', async () => collections.close());
  app.addHook('onRequest', (request, reply, done) => {
    const refusal = refuse(request, options.apiKey);
    if (refusal === null) done();
    else reply.code(401).type('text/plain; charset=utf-8').send(refusal);
  });
  const answerWith = installFaults(app);

  app.get('/', (_request, reply) => {
    sendJson(reply, { title: 'qdrant - vector search engine', version: '1.19.0' });
  });
  for (const path of ['/healthz', '/livez']) {
    app.get(path, (_request, reply) => sendText(reply, 'healthz check passed'));
  }
  app.get('/readyz', (_request, reply) => sendText(reply, 'all shards are ready'));

  const existing = (name: string): Collection => {
    const collection = collections.get(name);
    if (collection !== undefined) return collection;
    throw new QdrantError(404, `Not found: Collection \`${name}\` doesn't exist!`);
  };
  const answering = (work: (request: CollectionRequest, name: string) => unknown) => {
    return (request: CollectionRequest, reply: FastifyReply) =>
      answer(reply, () => work(request, request.params.name));
  };

  app.put(
    '/collections/:name',
    answering((request, name) => {
      const body = jsonOf(request);
      const vectors = readVectorsConfig(body.vectors);
      const config = { ...body, vectors, sparse_vectors: readSparseConfig(body.sparse_vectors ?? {}) };
      if (collections.get(name) !== undefined) {
        throw new QdrantError(409, `Wrong input: Collection \`${name}\` already exists!`);
      }
      collections.create(name, config);
      return true;
    }),
  );
  app.get(
    '/collections/:name',
    answering((_request, name) => describeCollection(existing(name))),
  );
  app.delete(
    '/collections/:name',
    answering((_request, name) => collections.delete(name)),
  );
  app.put(
    '/collections/:name/index',
    answering((request, name) => {
      const { field_name, field_schema } = jsonOf(request);
      if (typeof field_name !== 'string') throw badFormat('missing field `field_name`');
      // A kind alone, or one with its parameters.
      const schema = (field_schema as { type?: unknown } | undefined)?.type ?? field_schema;
      if (typeof schema !== 'string') throw notOffered('payload indexes without a kind');
      const index = { field: field_name, schema };
      return { operation_id: collections.addIndex(name, existing(name), index), status: statusOf(request) };
    }),
  );
  app.get(
    '/collections/:name/exists',
    answering((_request, name) => ({ exists: collections.get(name) !== undefined })),
  );
  app.post(
    '/collections/:name/points',
    answering((request, name) => {
      const retrieval = readRetrieval(jsonOf(request));
      return retrieve(existing(name), retrieval);
    }),
  );
  app.put(
    '/collections/:name/points',
    answering((request, name) => {
      const body = jsonOf(request);
      const collection = existing(name);
      const points = readPoints(body, collection.config);
      return { operation_id: collections.upsert(name, collection, points), status: statusOf(request) };
    }),
  );
  app.post(
    '/collections/:name/points/scroll',
    answering((request, name) => {
      const page = readScroll(jsonOf(request));
      return scroll(existing(name), page);
    }),
  );
  app.post(
    '/collections/:name/points/count',
    answering((request, name) => {
      const { filter } = jsonOf(request);
      if (filter !== undefined && filter !== null) throw notOffered('filters');
      return { count: existing(name).points.size };
    }),
  );

  app.setNotFoundHandler((_request, reply) => {
    reply.code(404).send();
  });
  app.setErrorHandler((error: Error & { code?: string }, _request, reply) => {
    answer(reply, () => {
      if (error.code !== 'FST_ERR_CTP_BODY_TOO_LARGE') throw error;
      throw new QdrantError(400, `JSON payload has exceeded limit (${maxBodyBytes} bytes).`);
    });
  });

  const server = await listen(app, options);
  return { ...server, answerWith };
}

/** Why a request may not pass, in Qdrant's words, or null. Health and version are open to all. */
function refuse(request: FastifyRequest, apiKey: string | undefined): string | null {
  if (apiKey === undefined || openPaths.has(request.routeOptions.url ?? '')) return null;
  const bearer = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1];
  const key = request.headers['api-key'] ?? bearer;
  if (key === undefined) return 'Must provide an API key or an Authorization bearer token';
  return key === apiKey ? null : 'Invalid API key or JWT';
}

/** Without `wait` Qdrant only promises to do it; here it is done all the same. */
function statusOf({ query }: CollectionRequest): 'completed' | 'acknowledged' {
  return query.wait === 'true' ? 'completed' : 'acknowledged';
}

function jsonOf(request: FastifyRequest): Record<string, unknown> {
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
    throw new QdrantError(400, 'Content type error');
  }
  let body: unknown;
  try {
    body = JSON.parse(bodyOf(request).toString());
  } catch (error) {
    throw badFormat((error as Error).message);
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw badFormat('expected an object');
  return body as Record<string, unknown>;
}

function sendText(reply: FastifyReply, text: string): void {
  reply.type('text/plain; charset=utf-8').send(text);
}
