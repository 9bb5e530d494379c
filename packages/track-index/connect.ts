import { QdrantClient } from '@qdrant/js-client-rest';
import { within } from '@segue/process/timeLimit.ts';
import { inClientSpan, names } from '@segue/telemetry/spans.ts';
import { isTracing } from '@segue/telemetry/tracing.ts';

export type ConnectOptions = {
  url: string;
  apiKey?: string | undefined;
  collection: string;
  /** A call is given up after so many ms. */
  timeoutMs: number;
};

/** The collection of a Qdrant server, for whoever asks or writes. */
export type Connection = {
  collection: string;
  /**
   * Makes one call, and waits for it no longer than `timeoutMs`: the client's own limit ends with the answer's head,
   * and a body that never ends must not hold its caller.
   *
   * @throws what the client throws (HTTP errors carry `status`); Error when time is up
   */
  call<Result>(make: (client: QdrantClient) => Promise<Result>): Promise<Result>;
};

/**
 * Connects to Qdrant; no request is made yet.
 *
 * The client names an undici that waits a millisecond before each call on an idle connection (7.29,
 * `scheduleIdleSocketValidation`), so package.json overrides it with a newer one of the same major version. To be
 * taken out when the client (1.19) names 7.30 or later by itself.
 */
export function connectToIndex({ url, apiKey, collection, timeoutMs }: ConnectOptions): Connection {
  const untraced = new QdrantClient({
    ...addressOf(url),
    // As `apiKey` it makes the client print a line of its own, not of the log, where the address is http://.
    ...(apiKey === undefined ? {} : { headers: { 'api-key': apiKey } }),
    timeout: timeoutMs,
    checkCompatibility: false,
  });
  const client = isTracing() ? traceCalls(untraced, collection) : untraced;
  const late = () => new Error(`Qdrant did not answer within ${timeoutMs} ms`);
  return { collection, call: make => within(timeoutMs, make(client), late) };
}

/** The same client, with a span for each call that is made within a trace. */
function traceCalls(client: QdrantClient, collection: string): QdrantClient {
  const attributes = { [names.databaseSystem]: 'qdrant', [names.databaseCollection]: collection };
  return new Proxy(client, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (typeof member !== 'function') return member;
      return (...given: unknown[]) =>
        inClientSpan(`qdrant ${String(property)}`, attributes, () => Reflect.apply(member, target, given));
    },
  });
}

/** The client drops a path in `url` and gives `https://host` the port 6333, so each part is passed by itself. */
function addressOf(url: string) {
  const { protocol, hostname, port, pathname } = new URL(url);
  return {
    host: hostname,
    https: protocol === 'https:',
    port: port ? Number(port) : protocol === 'https:' ? 443 : 80,
    ...(pathname === '/' ? {} : { prefix: pathname.replace(/\/+$/, '') }),
  };
}
