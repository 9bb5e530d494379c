import type { FastifyInstance } from 'fastify';
import { type DocumentNode, parse } from 'graphql';
import { Refusal } from '../http/refusal.ts';
import { demandPost, requestedOperation } from './requestedOperation.ts';

/** Closes two gaps of mercurius 16.10 that a client can fall into, or walk through. */
export function guardDocuments(server: FastifyInstance): void {
  const { graphql } = server;

  // What is no GraphQL it reads as JSON, and takes any value for a document: 1 makes it fail as if the fault
  // were ours.
  graphql.addHook('preValidation', async (_schema, document) => {
    if (!wasParsed(document)) throw new Refusal('BAD_REQUEST', 400, 'The query is JSON, and not GraphQL.');
  });

  // By any method but POST it takes for granted that one operation is meant, and fails likewise when none is; and it
  // looks for mutations when the method is GET, and when it is HEAD not.
  graphql.addHook('preParsing', async (_schema, source, { reply }) => {
    if (reply.request.method === 'POST') return;
    const document = parsed(source);
    if (document !== null) demandPost(requestedOperation(document, reply.request), reply);
  });
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
