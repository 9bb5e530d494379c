import { claim } from '@segue/outbox/claim.ts';
import { settle } from '@segue/outbox/settle.ts';
import { take } from '@segue/outbox/take.ts';
import postgres from 'postgres';
import { fill } from './outboxDrain.ts';
import { recordings } from './recordings.ts';

/** A statement as the product sends it, its parameters named: `:ids`, `:lease`. */
type NamedStatement = string;

/** The three that every row passes through on the straight way. */
export type HotStatements = { claim: NamedStatement; take: NamedStatement; settle: NamedStatement };

/** Values that occur nowhere else, so that a parameter is known by its value. */
const limit = 3;
const leaseMs = 98_765;
const from = { createdAt: '1999-12-31 23:59:59+00', id: -98 };
const also = [-97];

/**
 * Has the product run its statements once, and writes down what postgres.js sends. So the ceiling is measured
 * with the product's own texts, whatever they become.
 *
 * @param url of a migrated, empty database
 * @throws Error for a parameter whose value nobody passed
 */
export async function captureHotStatements(url: string): Promise<HotStatements> {
  const sent: { text: string; parameters: unknown[] }[] = [];
  const sql = postgres(url, {
    max: 1,
    types: { bigint: { to: 20, from: [20], parse: Number, serialize: String } },
    // postgres.js writes the parameters' text over their values later on.
    debug: (_connection, text, parameters) => sent.push({ text, parameters: [...parameters] }),
  }) as unknown as postgres.Sql;
  try {
    await fill(sql, recordings(1, limit));
    sent.length = 0;
    const { lease, rows } = await claim(sql, { limit, leaseMs, from, also });
    await take(sql, lease, rows, { dedupeWindowMs: 0 });
    const ids = rows.map(({ id }) => id);
    await settle(sql, lease, { scheduled: ids.map(id => ({ id, generation: 1 })) });

    const names = new Map<string, string>([
      // Also how many ids a settlement has: all that were claimed.
      [String(limit), 'limit'],
      [String(leaseMs), 'lease_ms'],
      [String(from.createdAt), 'from_created_at'],
      [String(from.id), 'from_id'],
      [String(also), 'also'],
      [String(lease), 'lease'],
      [String(ids), 'ids'],
      [String([]), 'none'],
      [String(rows.map(({ isrc }) => isrc)), 'isrcs'],
    ]);
    const [claiming, taking, settling] = sent.map(statement => withNames(statement, names));
    if (!claiming || !taking || !settling || sent.length > 3) {
      throw new Error(`three statements were expected, and ${sent.length} were sent`);
    }
    return { claim: claiming, take: taking, settle: settling };
  } finally {
    await sql.end();
  }
}

function withNames(
  { text, parameters }: { text: string; parameters: unknown[] },
  names: Map<string, string>,
): NamedStatement {
  return text.replace(/\$(\d+)/g, (_, place) => {
    const value = String(parameters[Number(place) - 1]);
    const name = names.get(value);
    if (name === undefined) throw new Error(`no name for the parameter ${value} of: ${text}`);
    return `:${name}`;
  });
}
