import { readFile } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HostRule } from '@segue/http/hostGuard.ts';
import { serveMetrics } from '@segue/http/metrics.ts';
import { createHttpServer } from '@segue/http/server.ts';
import type { FastifyInstance } from 'fastify';
import { NoSchemaIntrospectionCustomRule } from 'graphql/index.js';
import mercurius from 'mercurius';
import { type Authenticate, createAuthenticate } from '../access/authentication.ts';
import { type MutationAllowance, unlimited } from '../access/mutationAllowance.ts';
import type { RemoteKeys } from '../access/remoteKeys.ts';
import { serveEditor } from '../editor/editor.ts';
import { slotsFor } from '../graphql/answerSlots.ts';
import { createContext } from '../graphql/context.ts';
import { guardDocuments } from '../graphql/documentGuards.ts';
import { createErrorFormatter } from '../graphql/errors.ts';
import { limitQueries } from '../graphql/queryLimits.ts';
import { ReadingLines } from '../graphql/readingLines.ts';
import { createResolvers } from '../graphql/resolvers/resolvers.ts';
import { nameOperations, traceOperations } from '../graphql/traceOperations.ts';
import type { Library } from '../library/library.ts';
import type { ApiMetrics } from '../metrics/metrics.ts';
import { countRequests, noteOutcomes, noteTypes } from '../metrics/operations.ts';
import { sendSecurityHeaders } from './headers.ts';
import { serveHealth } from './health.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { answerByMediaType, speakMediaTypes } from './mediaTypes.ts';
import { refuseOtherMethods } from './methods.ts';
import { OutageGuard } from './outageGuard.ts';
import { carryRequestId } from './requestId.ts';
import { identifyUsers } from './user.ts';

/** Parsed queries: at the default limits of body and tokens some 60 MB at the very most, usually one or two. */
const rememberedQueries = 100;
/** Of all that is wrong with one query: enough to mend it by. */
const namedErrors = 20;
/** Less than the 10 s that `run` allows in all. What still waits for TIDAL then has stored nothing. */
const finishWithinMs = 6_000;

/** Headers that no page of another site can send without the browser asking us first: any of them will do. */
const csrfHeaders = [
  'authorization',
  'graphql-require-preflight',
  'apollo-require-preflight',
  'x-apollo-operation-name',
  'mercurius-require-preflight',
  'x-mercurius-operation-name',
];

export type ServerOptions = {
  authenticate: Authenticate;
  /** Where tokens are checked by the keys of an identity provider. */
  keys: RemoteKeys | null;
  mutationAllowance: MutationAllowance;
  limits: Limits;
  /** Null where every request needs a token. */
  hostRule: HostRule | null;
  /** Other sites whose pages may ask. */
  allowedOrigins: string[];
  /** Whether introspection and GraphiQL are on. */
  explorable: boolean;
  metrics: ApiMetrics;
};

/** For one user on one machine. */
export const localServer: Omit<ServerOptions, 'metrics'> = {
  authenticate: createAuthenticate(null),
  keys: null,
  mutationAllowance: unlimited,
  limits: defaultLimits,
  hostRule: { hosts: [], variable: 'API_ALLOWED_HOSTS' },
  allowedOrigins: [],
  explorable: true,
};

/** The HTTP server: GraphQL at `/graphql`, its editor at `/graphiql`, and health. */
export async function createServer(library: Library, options: ServerOptions): Promise<FastifyInstance> {
  const { database, logger } = library;
  const { authenticate, keys, mutationAllowance, limits, hostRule, allowedOrigins, explorable, metrics } =
    options;
  const guard = new OutageGuard();
  const readingLines = new ReadingLines();
  const largeListings = slotsFor(limits.listingComplexity);
  // "Did you mean …?" would tell what introspection does not. mercurius's types do not know of it yet.
  const validateOptions = { maxErrors: namedErrors, hideSuggestions: !explorable };
  const server = createHttpServer({
    logger,
    hostRule,
    bodyLimit: limits.bodyBytes,
    requestTimeoutMs: limits.requestTimeoutMs,
    finishWithinMs,
  });
  carryRequestId(server);
  traceOperations(server);
  countRequests(server, metrics.meter);
  refuseOtherMethods(server);
  await sendSecurityHeaders(server, allowedOrigins);
  identifyUsers(server, authenticate, logger);
  speakMediaTypes(server);
  leaveErrorPathsAlone(server);
  answerInTurns(server);
  await server.register(mercurius, {
    schema: await readFile(new URL('../graphql/schema.graphql', import.meta.url), 'utf8'),
    resolvers: createResolvers(library, limits),
    context: request =>
      createContext(request, { database, guard, logger, limits, largeListings, readingLines }),
    errorFormatter: answerByMediaType(noteOutcomes(createErrorFormatter(logger))),
    // Compiled queries answered otherwise than graphql-js, and compiling some took seconds (docs/performance.md).
    jit: 0,
    cache: rememberedQueries,
    graphiql: false,
    validationRules: explorable ? [] : [NoSchemaIntrospectionCustomRule],
    graphql: {
      parseOptions: { maxTokens: limits.queryTokens },
      validateOptions,
    },
    csrfPrevention: { requiredHeaders: csrfHeaders },
    // HEAD would run what GET is refused.
    additionalRouteOptions: { exposeHeadRoute: false },
  });
  nameOperations(server);
  noteTypes(server);
  guardDocuments(server);
  limitQueries(server, limits, mutationAllowance);
  if (explorable) await serveEditor(server);
  serveHealth(server, { database, keys, logger });
  if (metrics.token !== null) serveMetrics(server, metrics.meter, metrics.token);
  return server;
}

/**
 * Makes JSON of an answer in a turn of the event loop of its own, and sends it in the next one: for 15,000 tracks, each
 * with an error, all in one turn took 180 ms.
 */
function answerInTurns(server: FastifyInstance): void {
  const inTheNextTurn = async <Payload>(_request: unknown, _reply: unknown, payload: Payload) => {
    await nextTurn();
    return payload;
  };
  server.addHook('preSerialization', inTheNextTurn);
  server.addHook('onSend', inTheNextTurn);
}

/** mercurius 16.10 describes its answers so that a number in an error's path, a place in a list, becomes text. */
function leaveErrorPathsAlone(server: FastifyInstance): void {
  server.addHook('onRoute', ({ url, schema }) => {
    if (url === '/graphql') delete schema?.response;
  });
}
