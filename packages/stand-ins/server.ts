import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';

/** Where a stand-in listens. Port 0, the default, is any free one. */
export type Address = { port?: number; host?: string };

export type RunningServer = {
  /** Base without a trailing slash: `http://127.0.0.1:41237`. */
  url: string;
  /** Stops listening and cuts every connection, those left hanging by a fault included. */
  close(): Promise<void>;
};

/**
 * A fastify server that hands every body to its route as it came, in a `Buffer`: the stand-ins answer
 * malformed JSON in the words of what they stand in for, and a benchmark pays for no validation and no log.
 *
 * @param bodyLimit bytes
 */
export function bareServer(bodyLimit: number): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit,
    forceCloseConnections: true,
    // The router's default of 100 characters is less than an Inngest event key or a Qdrant collection may have.
    routerOptions: { maxParamLength: 300 },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  return app;
}

/** The body as {@link bareServer} left it; empty where the request had none. */
export function bodyOf(request: { body: unknown }): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
}

/** Sends JSON under exactly this type; fastify would add a charset to the type of a string. */
export function sendJson(reply: FastifyReply, body: object, type = 'application/json'): void {
  reply.type(type).send(Buffer.from(JSON.stringify(body)));
}

/** @throws `EADDRINUSE` when the port is taken; the caller chooses what to do then */
export async function listen(
  app: FastifyInstance,
  { port = 0, host = '127.0.0.1' }: Address,
): Promise<RunningServer> {
  try {
    const url = await app.listen({ port, host });
    return { url, close: () => app.close() };
  } catch (error) {
    await app.close();
    throw error;
  }
}
