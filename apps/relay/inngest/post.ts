import http from 'node:http';
import https from 'node:https';

/** What a server answered: all of it, or the first {@link longestAnswer}. */
export type Reply = { status: number; headers: http.IncomingHttpHeaders; text: string };

export type PostOptions = { headers: Record<string, string>; body: string; signal: AbortSignal };

/**
 * Idle connections are closed before the servers close them, Node's own after 5 s: a call on one that is just
 * being closed fails.
 */
const kept = { keepAlive: true, timeout: 4_000 };
const clients: Record<string, { request: typeof http.request; agent: http.Agent }> = {
  'http:': { request: http.request, agent: new http.Agent(kept) },
  'https:': { request: https.request, agent: new https.Agent(kept) },
};

/** Bytes: seven times what Inngest answers to 5,000 events. A proxy that answers a film must not fill the memory. */
const longestAnswer = 1024 * 1024;

/**
 * Posts a text and reads the answer; follows no redirection.
 *
 * By `node:http`, not by `fetch`, which puts a timer of 1 ms before each request on an idle connection
 * (undici 7.29, `scheduleIdleSocketValidation`) and takes 330 us of CPU for a call, where this takes 140.
 *
 * @param address `http:` or `https:`
 * @throws why there is no whole answer; what the signal ends it with
 */
export async function post(address: URL, { headers, body, signal }: PostOptions): Promise<Reply> {
  const client = clients[address.protocol];
  if (!client) throw new TypeError(`${address.protocol} is neither http: nor https:`);
  const { request, agent } = client;
  const reply = Promise.withResolvers<Reply>();
  const call = request(address, { method: 'POST', agent, headers, signal }, response => {
    const { statusCode: status = 0, headers } = response;
    // From here on the answer counts, even when the server takes no more of the request (413, say).
    reply.resolve(readText(response).then(text => ({ status, headers, text })));
  });
  call.on('error', reply.reject);
  // Given a text, Node makes a copy of it behind the header: 20 MB at the peak with texts of 300 KiB.
  call.end(Buffer.from(body));
  try {
    return await reply.promise;
  } catch (error) {
    // An answer that the signal cuts off says that it was aborted, and not why.
    throw signal.aborted ? signal.reason : error;
  }
}

/** Closes the connection behind the first {@link longestAnswer}. */
async function readText(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > longestAnswer) break;
  }
  return Buffer.concat(chunks).toString();
}
