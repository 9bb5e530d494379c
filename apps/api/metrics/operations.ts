import type { LabelsOf } from '@segue/telemetry/metrics/declaredMetrics.ts';
import type { Meter } from '@segue/telemetry/metrics/meter.ts';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { MercuriusOptions } from 'mercurius';
import { requestedOperation } from '../graphql/requestedOperation.ts';
import type { Code } from '../http/refusal.ts';

type Labels = LabelsOf<'segue_graphql_operations_total'>;

const types = new WeakMap<FastifyRequest, Labels['type']>();
const outcomes = new WeakMap<FastifyRequest, Labels['outcome']>();

/** Counts each request to `/graphql` when it is answered. */
export function countRequests(server: FastifyInstance, meter: Meter<'api'>): void {
  server.addHook('onResponse', async (request, reply) => {
    if (request.routeOptions.url !== '/graphql' || request.method === 'OPTIONS') return;
    const type = types.get(request) ?? 'none';
    const outcome = outcomes.get(request) ?? outcomeOfStatus(reply.statusCode);
    meter.add('segue_graphql_operations_total', { type, outcome });
    meter.observe('segue_graphql_operation_seconds', { type }, reply.elapsedTime / 1_000);
  });
}

/** Notes what type of operation a request is, once it is known; to be called when mercurius is there. */
export function noteTypes(server: FastifyInstance): void {
  server.graphql.addHook('preExecution', async (_schema, document, { reply }) => {
    const { operation } = requestedOperation(document, reply.request);
    if (operation !== 'subscription') types.set(reply.request, operation);
  });
}

type Format = NonNullable<MercuriusOptions['errorFormatter']>;

/** The same formatter; the code of the first error is noted for the count. */
export function noteOutcomes(format: Format): Format {
  return (execution, context) => {
    const answer = format(execution, context);
    const code = answer.response.errors?.[0]?.extensions?.code as Code | undefined;
    if (code !== undefined) outcomes.set(context.reply.request, code.toLowerCase() as Lowercase<Code>);
    return answer;
  };
}

/** Of what was answered before GraphQL had a part in it. */
function outcomeOfStatus(status: number): Labels['outcome'] {
  if (status < 400) return 'ok';
  if (status === 401) return 'unauthenticated';
  if (status === 503) return 'authentication_unavailable';
  return status < 500 ? 'bad_request' : 'internal_server_error';
}
