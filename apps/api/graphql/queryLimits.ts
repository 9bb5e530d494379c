import type { FastifyInstance } from 'fastify';
import type { MutationAllowance } from '../access/mutationAllowance.ts';
import type { Limits } from '../http/limits.ts';
import { Refusal } from '../http/refusal.ts';
import { userOf } from '../http/user.ts';
import { slotsFor } from './answerSlots.ts';
import { FairTurns } from './fairTurns.ts';
import { costOf } from './queryCost.ts';
import { shapeOf } from './queryShape.ts';
import { requestedOperation } from './requestedOperation.ts';

/** Refuses a query that asks for too much, and a user who changes too much, before any field is resolved. */
export function limitQueries(server: FastifyInstance, limits: Limits, allowance: MutationAllowance): void {
  const { graphql } = server;
  const largeQueries = slotsFor(limits.queryComplexity);
  const turns = new FairTurns();

  graphql.addHook('preParsing', async (_schema, _source, { places, reply }) => {
    await turns.take(userOf(reply.request));
    places.demandClient();
  });

  // Before validation, whose rules compare fields with each other.
  graphql.addHook('preValidation', async (_schema, document) => {
    const { depth, aliases } = shapeOf(document);
    demand('is too deep: its depth', depth, limits.queryDepth);
    demand('renames too many fields: its number of aliases', aliases, limits.queryAliases);
  });

  // Variables say how long lists are, so that this is counted each time and not once a document.
  graphql.addHook('preExecution', async (schema, document, { reply, places }, variables) => {
    const operation = requestedOperation(document, reply.request);
    const { complexity, changes } = costOf(schema, document, operation, variables ?? {});
    demand('asks for too much: its complexity', complexity, limits.queryComplexity);
    if (operation.operation === 'mutation') {
      await allow(allowance, userOf(reply.request), changes, limits.bulkSize);
    } else {
      await places.take(largeQueries, complexity);
    }
  });

  graphql.addHook('onResolution', async (_execution, { places, reply }) => places.leaveAfter(reply));
}

/**
 * Counts the changes of a mutation against the user's minute. A bulk of more ids than it may have is refused when its
 * field is resolved, and changes nothing.
 *
 * @throws Refusal `BAD_USER_INPUT` for more than a minute allows at all, `RATE_LIMITED` for more than is left of it
 */
async function allow(
  allowance: MutationAllowance,
  userId: string,
  changesOfFields: number[],
  bulkSize: number,
): Promise<void> {
  const changes = changesOfFields.filter(count => count <= bulkSize).reduce((sum, count) => sum + count, 0);
  const { changesPerMinute: limit } = allowance;
  if (changes > limit) {
    const message = `These are ${changes} additions and removals, and a user may make ${limit} in a minute. Make fewer at a time.`;
    throw new Refusal('BAD_USER_INPUT', 400, message, { actual: changes, limit });
  }
  const retryAfterSeconds = await allowance.take(userId, changes);
  if (retryAfterSeconds === null) return;
  throw new Refusal(
    'RATE_LIMITED',
    429,
    `This is more than a user may add and remove in a minute. Please try again in ${retryAfterSeconds} s.`,
    { retryAfterSeconds },
  );
}

/** @throws Refusal when there is more than may be */
function demand(problem: string, actual: number, limit: number): void {
  if (actual <= limit) return;
  throw new Refusal('QUERY_TOO_COSTLY', 400, `The query ${problem} is ${actual}, and may be ${limit}.`, {
    actual,
    limit,
  });
}
