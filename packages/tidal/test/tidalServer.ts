import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { createTidalClient, type TidalClient, type TidalClientOptions } from '../client.ts';
import { createTestClock, type TestClock } from './clock.ts';

export type Reply = { status?: number; headers?: Record<string, string>; body?: unknown };

/** What a server does that does not answer properly. */
export type Misbehaviour = 'silence' | 'stop half-way' | 'hang up';

export type ReceivedRequest = {
  method: string;
  /** Without `/v2`. */
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  form: URLSearchParams;
};

type Answer = Reply | Misbehaviour | ((request: ReceivedRequest) => Promise<Reply>);

/** The constructed secrets of these tests; no message may hold them. */
export const credentials = { clientId: 'the-client-id', clientSecret: 'the-client-secret' };

export type TidalServer = AsyncDisposable & {
  apiUrl: string;
  authUrl: string;
  clock: TestClock;
  requests: ReceivedRequest[];
  /** What the path answers, one after the other; the last for good. A path without answers is a 404. */
  answer(path: string, ...answers: Answer[]): void;
  requestsOf(path: string): ReceivedRequest[];
  /** A client of this server, with the server's clock. */
  client(options?: Partial<TidalClientOptions>): TidalClient;
};

/** A server on a free port that speaks TIDAL's HTTP, its token endpoint included. */
export async function startTidalServer(): Promise<TidalServer> {
  const requests: ReceivedRequest[] = [];
  const answers = new Map<string, Answer[]>();
  const clock = createTestClock();
  const server = createServer(async (incoming, response) => {
    const request = await receive(incoming);
    requests.push(request);
    const prepared = answers.get(request.path);
    const next = prepared && prepared.length > 1 ? prepared.shift() : prepared?.[0];
    await respond(response, (typeof next === 'function' ? await next(request) : next) ?? unknownItem);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const urls = { apiUrl: `${address}/v2`, authUrl: `${address}/token` };
  answers.set('/token', [token('token-1')]);

  return {
    ...urls,
    clock,
    requests,
    answer: (path, ...list) => answers.set(path, list),
    requestsOf: path => requests.filter(request => request.path === path),
    client: options => createTidalClient({ ...urls, ...credentials, countryCode: 'US', clock, ...options }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export function token(value: string, expiresIn = 86_400): Reply {
  return { body: { access_token: value, token_type: 'Bearer', expires_in: expiresIn } };
}

export function errorReply(status: number, headers: Record<string, string> = {}): Reply {
  return { status, headers, body: { errors: [{ status: String(status), detail: 'The detail' }] } };
}

const unknownItem = errorReply(404);

async function receive(incoming: IncomingMessage): Promise<ReceivedRequest> {
  const { pathname, searchParams } = new URL(incoming.url ?? '', 'http://tidal');
  const { method = '', headers } = incoming;
  const form = new URLSearchParams(await text(incoming));
  return { method, path: pathname.replace(/^\/v2/, ''), query: searchParams, headers, form };
}

async function respond(response: ServerResponse, answer: Reply | Misbehaviour): Promise<void> {
  if (answer === 'silence') return;
  if (answer === 'hang up') {
    response.destroy();
    return;
  }
  if (answer === 'stop half-way') {
    response.writeHead(200, { 'content-type': 'application/vnd.api+json' });
    response.write('{"data": {');
    return;
  }
  const { status = 200, headers, body } = answer;
  response.writeHead(status, { 'content-type': 'application/vnd.api+json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}
