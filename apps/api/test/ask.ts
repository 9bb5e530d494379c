import type { FastifyInstance, InjectOptions } from 'fastify';

export type Answer = {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: as deep as the query, which each test writes
  data: any;
  errors?: {
    message: string;
    path?: (string | number)[];
    extensions: { code: string; requestId?: string };
  }[];
};

/** Sends a GraphQL request to a server that need not listen. */
export async function ask(server: FastifyInstance, query: string, variables?: object): Promise<Answer> {
  return await send(server, { payload: { query, variables } });
}

/** Sends any request to `/graphql`, as no page of another site could. */
export async function send(server: FastifyInstance, { headers, ...request }: InjectOptions): Promise<Answer> {
  const response = await server.inject({
    method: 'POST',
    url: '/graphql',
    headers: { 'graphql-require-preflight': '1', ...headers },
    ...request,
  });
  return { status: response.statusCode, ...response.json() };
}
