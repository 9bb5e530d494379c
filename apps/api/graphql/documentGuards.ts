import type { FastifyInstance } from 'fastify';
import { type DocumentNode, getOperationAST, parse } from 'graphql';
import mercurius from 'mercurius';

/** Closes three gaps of mercurius 16.10 that a client can fall into, or walk through. */
export function guardDocuments(server: FastifyInstance): void {
  const { graphql } = server;

  // It keeps one compiled function for a document, made for the operation that was named first, and runs that
  // whichever is named later: a mutation in the place of a query, for who works in an editor such as GraphiQL,
  // which sends all that stands in it. A document that comes back from a hook is not compiled.
  graphql.addHook('preExecution', async (_schema, document) =>
    hasSeveralOperations(document) ? { document } : undefined,
  );

  // What is no GraphQL it reads as JSON, and takes any value for a document: 1 makes it fail as if the fault
  // were ours.
  graphql.addHook('preValidation', async (_schema, document) => {
    if (!wasParsed(document)) throw refusal('The query is JSON, and not GraphQL.');
  });

  // With GET it takes for granted that one operation is meant, and fails likewise when none is.
  graphql.addHook('preParsing', async (_schema, source, { reply: { request } }) => {
    if (request.method !== 'GET') return;
    const { operationName } = request.query as { operationName?: string };
    const document = parsed(source);
    if (document !== null && !getOperationAST(document, operationName)) {
      throw refusal('operationName must name one operation of the query.');
    }
  });
}

function hasSeveralOperations({ definitions }: DocumentNode): boolean {
  return definitions.filter(({ kind }) => kind === 'OperationDefinition').length > 1;
}

/** Only the parser leaves a location that has methods; JSON has none. */
function wasParsed(document: DocumentNode | null): boolean {
  return typeof document?.loc?.toJSON === 'function';
}

/** @returns null for what mercurius is about to refuse with the parser's message */
function parsed(source: string): DocumentNode | null {
  try {
    return parse(source);
  } catch {
    return null;
  }
}

function refusal(message: string): Error {
  return new mercurius.ErrorWithProps(message, {}, 400);
}
