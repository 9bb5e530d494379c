import { isTemporary } from '@segue/database/outage.ts';
import { reasonOf } from '@segue/process/reason.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import { markActiveFailed } from '@segue/telemetry/spans.ts';
import type { ExecutionResult, GraphQLFormattedError } from 'graphql';
// By its file, as mercurius requires it: vitest takes 'graphql' for its other copy, `index.mjs`.
import { GraphQLError } from 'graphql/index.js';
import type { MercuriusContext } from 'mercurius';
import { type Code, Refusal } from '../http/refusal.ts';
import { InputError } from '../library/inputError.ts';
import { QueryRefusal } from './queryRefusal.ts';

/** What is thrown, and what Fastify and mercurius add when they refuse a request: sometimes several reasons. */
type Thrown = Error & { statusCode?: number; code?: string; errors?: Error[] };

/**
 * Makes of all that went wrong what a client may see. Only what is meant for clients keeps its message; of
 * anything else they learn an id, under which the log has the rest.
 */
export function createErrorFormatter(logger: Logger) {
  return (execution: ExecutionResult, { reply }: MercuriusContext) => {
    const thrown = execution.errors ?? [];
    const causes = thrown.map(causeOf);
    for (const cause of causes) {
      const wait = cause instanceof Refusal && cause.details.retryAfterSeconds;
      if (wait) reply.header('retry-after', wait);
    }
    const failureOf = failures(reply.request.id, logger);
    const refused = causes.find(cause => cause instanceof QueryRefusal);
    if (refused) return refusedAsAWhole(refused);
    return {
      statusCode: httpStatus(thrown),
      response: {
        data: execution.data ?? null,
        errors: thrown.flatMap(error => present(error, failureOf)),
      },
    };
  };
}

function refusedAsAWhole({ code, statusCode, message, details }: QueryRefusal) {
  return {
    statusCode,
    response: { data: null, errors: [formatted(new Error(message), code, message, details)] },
  };
}

/** What happened while fields were resolved is part of an answer. Only what prevented an answer is a status. */
function httpStatus(errors: readonly GraphQLError[]): number {
  const [first] = errors;
  if (first === undefined || wasResolving(first)) return 200;
  const cause = causeOf(first);
  if (cause instanceof Refusal) return cause.statusCode;
  return isRefusal(first) ? (causeOf(first).statusCode ?? 400) : 500;
}

type Failure = { code: Code; message: string; extensions?: Record<string, string> };

/**
 * What clients learn of what went wrong on our side. Looked at and said once, of however many fields it is the cause: the
 * statuses of hundreds of tracks are read together, and the reason has a statement with all of its values.
 */
function failures(requestId: string, logger: Logger): (cause: Error) => Failure {
  const known = new Map<Error, Failure>();
  return cause => {
    const failure = known.get(cause) ?? say(cause);
    known.set(cause, failure);
    return failure;
  };

  function say(cause: Error): Failure {
    markActiveFailed(cause);
    const error = reasonOf(cause);
    if (isTemporary(cause)) {
      logger.error({ event: 'database_unavailable', requestId, error }, 'the database is unavailable');
      const message = 'The library cannot be reached right now. Please try again in a moment.';
      return { code: 'DATABASE_UNAVAILABLE', message };
    }
    logger.error(
      { event: 'request_failed', requestId, error, stack: cause.stack },
      'a request failed unexpectedly',
    );
    const message = `Something went wrong on our side. Please quote ${requestId} when you report it.`;
    return { code: 'INTERNAL_SERVER_ERROR', message, extensions: { requestId } };
  }
}

function present(error: GraphQLError, failureOf: (cause: Error) => Failure): GraphQLFormattedError[] {
  const cause = causeOf(error);
  if (cause instanceof InputError) return [formatted(error, 'BAD_USER_INPUT', cause.message)];
  if (cause instanceof Refusal) return [formatted(error, cause.code, cause.message, cause.details)];

  if (isRefusal(error)) {
    if (cause.code === 'MER_ERR_GQL_PERSISTED_QUERY_NOT_FOUND') {
      return [formatted(error, 'BAD_REQUEST', 'The request has no "query".')];
    }
    return (cause.errors ?? [error]).map(reason => formatted(reason, 'BAD_REQUEST', reason.message));
  }

  if (isArgumentError(error)) return [formatted(error, 'BAD_USER_INPUT', cause.message)];

  const { code, message, extensions } = failureOf(cause);
  return [formatted(error, code, message, extensions)];
}

/** Only what resolving throws has a path. */
function wasResolving(error: GraphQLError): boolean {
  return error.path !== undefined;
}

/**
 * Whether a field was given an argument that it does not take: null for a variable that has a default, which passes
 * validation. Only such an error of GraphQL's own names a place in the document; one about an answer does not.
 */
function isArgumentError({ originalError }: GraphQLError): boolean {
  return originalError instanceof GraphQLError && originalError.nodes !== undefined;
}

/** Whether the request itself was refused: by Fastify, by mercurius, or by GraphQL, which needs no other error. */
function isRefusal(error: GraphQLError): boolean {
  const { statusCode = 500 } = causeOf(error);
  return !wasResolving(error) && (statusCode < 500 || error.originalError === undefined);
}

function causeOf(error: GraphQLError): Thrown {
  return error.originalError ?? error;
}

function formatted(
  error: Error & Partial<GraphQLError>,
  code: Code,
  message: string,
  extensions: Record<string, string | number> = {},
): GraphQLFormattedError {
  const { locations, path } = error;
  return {
    message,
    ...(locations && { locations }),
    ...(path && { path }),
    extensions: { code, ...extensions },
  };
}
