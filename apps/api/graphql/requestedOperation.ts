import type { FastifyReply, FastifyRequest } from 'fastify';
import { type DocumentNode, getOperationAST, type OperationDefinitionNode } from 'graphql';
import { Refusal } from '../http/refusal.ts';

/**
 * The operation of a document that a request names, read as the executor reads it: an empty name names the
 * operation whose name is empty, which there is never.
 *
 * @throws Refusal `BAD_REQUEST` when there is no such operation, or no name and several operations
 */
export function requestedOperation(document: DocumentNode, request: FastifyRequest): OperationDefinitionNode {
  const operation = getOperationAST(document, operationNameOf(request));
  if (operation) return operation;
  throw new Refusal('BAD_REQUEST', 400, 'operationName must name one operation of the query.');
}

/** @throws Refusal `BAD_REQUEST` with status 405 for anything but a query that is sent by GET */
export function demandPost({ operation }: OperationDefinitionNode, reply: FastifyReply): void {
  if (reply.request.method === 'POST' || operation === 'query') return;
  reply.header('allow', 'POST');
  throw new Refusal('BAD_REQUEST', 405, `A ${operation} is sent by POST, not by ${reply.request.method}.`);
}

function operationNameOf({ method, query, body }: FastifyRequest): string | null | undefined {
  const { operationName } = ((method === 'POST' ? body : query) ?? {}) as { operationName?: string | null };
  return operationName;
}
