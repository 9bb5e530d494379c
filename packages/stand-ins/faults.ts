import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { bodyOf } from './server.ts';

/** A request as a fault test sees it, its body read in full. */
export type IncomingRequest = {
  method: string;
  /** Path and query. */
  url: string;
  headers: IncomingHttpHeaders;
  text(): string;
};

/**
 * What may befall a request instead of its proper answer:
 * - an answer of the test's own;
 * - `hang`: none, until the client or the stand-in gives up;
 * - `reset`: the connection is reset before anything was done;
 * - `lose-answer`: everything is done as always, and the connection is reset where the answer was due.
 */
export type Fault =
  | { status: number; headers?: Record<string, string>; body?: string | object }
  | 'hang'
  | 'reset'
  | 'lose-answer';

/** Takes a request over by returning a fault; `undefined` lets it pass. */
export type FaultHandler = (request: IncomingRequest) => Fault | undefined | Promise<Fault | undefined>;

/** Sets the one handler that sees every request from now on, or takes it out again (null). */
export type AnswerWith = (handler: FaultHandler | null) => void;

/** Makes a server's requests open to faults. To be called before its routes are added. */
export function installFaults(app: FastifyInstance): AnswerWith {
  let handler: FaultHandler | null = null;
  const answerLost = new WeakSet<FastifyRequest>();

  app.addHook('preHandler', (request, reply, done) => {
    const decide = handler;
    if (decide === null) return done();
    const incoming: IncomingRequest = {
      method: request.method,
      url: request.url,
      headers: request.headers,
      text: () => bodyOf(request).toString(),
    };
    (async () => decide(incoming))().then(fault => {
      if (fault === 'hang') return;
      if (fault === 'reset') {
        request.raw.socket.resetAndDestroy();
        return;
      }
      if (fault === undefined || fault === 'lose-answer') {
        if (fault === 'lose-answer') answerLost.add(request);
        done();
        return;
      }
      const { status, headers = {}, body = '' } = fault;
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
      reply.code(status).headers({ 'content-type': type, ...headers });
      reply.send(Buffer.from(text));
    }, done);
  });

  app.addHook('onSend', (request, _reply, payload, done) => {
    if (answerLost.has(request)) request.raw.socket.resetAndDestroy();
    done(null, payload);
  });

  return next => {
    handler = next;
  };
}
