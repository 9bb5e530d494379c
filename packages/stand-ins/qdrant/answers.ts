import type { FastifyReply } from 'fastify';
import { sendJson } from '../server.ts';

/** An answer other than 200, with the text that Qdrant puts into `status.error`. */
export class QdrantError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function badFormat(problem: string): QdrantError {
  return new QdrantError(400, `Format error in JSON body: ${problem}`);
}

export function wrongInput(problem: string): QdrantError {
  return new QdrantError(400, `Wrong input: ${problem}`);
}

/** For what Qdrant can do and the stand-in cannot: better no answer than a false one. */
export function notOffered(what: string): QdrantError {
  return new QdrantError(501, `The stand-in for Qdrant does not offer ${what}`);
}

/**
 * Answers as Qdrant does, and states the time it took, in seconds.
 *
 * @param work gives the result, or throws a {@link QdrantError}
 */
export function answer(reply: FastifyReply, work: () => unknown): void {
  const startedAt = performance.now();
  const body: { result?: unknown; status: unknown; time: number } = { status: 'ok', time: 0 };
  try {
    body.result = work();
  } catch (error) {
    const { status, message } = asQdrantError(error as Error);
    reply.code(status);
    body.status = { error: message };
  }
  body.time = (performance.now() - startedAt) / 1000;
  sendJson(reply, body);
}

function asQdrantError(error: Error): QdrantError {
  return error instanceof QdrantError
    ? error
    : new QdrantError(500, `Service internal error: ${error.message}`);
}
