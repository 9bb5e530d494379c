import type { Queryable, Sql } from '@segue/database/connection.ts';
import type { TransactionSql } from 'postgres';

/** How a step of a plan reads a table. */
export type Access = {
  /** The plan for these very values, or the one for any. */
  plan: 'custom' | 'generic';
  /** `Index Scan using ingestion_outbox_open`, `Seq Scan`. */
  how: string;
  table: string;
};

type PlanNode = {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  Plans?: PlanNode[];
};
type Explained = { 'QUERY PLAN': [{ Plan: PlanNode }] };

type Statement = { text: string; values: (string | null)[]; types: number[] };

/**
 * How PostgreSQL reads the tables in the statements that `work` makes, in both plans that it may choose for a
 * prepared statement.
 *
 * The statements are made for real, since some depend on what others answered, and rolled back at the end.
 */
export async function accessesOf(
  sql: Sql,
  work: (transaction: Queryable) => Promise<unknown>,
): Promise<Access[]> {
  const statements: Statement[] = [];
  const accesses: Access[] = [];
  const options = sql.options as { debug: unknown };
  const rollback = new Error('rolled back');
  try {
    await sql.begin(async transaction => {
      // Called before each statement is made; by its end postgres.js has written the values as texts.
      options.debug = (_: number, text: string, values: Statement['values'], types: number[]) => {
        statements.push({ text, values, types });
      };
      await work(transaction);
      options.debug = false;
      for (const statement of statements) accesses.push(...(await readsOfStatement(transaction, statement)));
      throw rollback;
    });
  } catch (error) {
    if (error !== rollback) throw error;
  } finally {
    options.debug = false;
  }
  return accesses;
}

async function readsOfStatement(transaction: TransactionSql, { text, values, types }: Statement) {
  const list = (items: unknown[]) => (items.length === 0 ? '' : `(${items.join()})`);
  const names = await transaction`
    SELECT CASE oid WHEN 0 THEN 'unknown' ELSE format_type(oid::oid, NULL) END AS name
    FROM unnest(${types}::bigint[]) WITH ORDINALITY AS type (oid, place) ORDER BY place`;
  const literals = values.map(value => (value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`));
  await transaction.unsafe(`PREPARE planned${list(names.map(({ name }) => name))} AS ${text}`);
  const accesses: Access[] = [];
  for (const plan of ['custom', 'generic'] as const) {
    await transaction.unsafe(`SET LOCAL plan_cache_mode = force_${plan}_plan`);
    const [explained] = await transaction.unsafe<[Explained]>(
      `EXPLAIN (FORMAT JSON) EXECUTE planned${list(literals)}`,
    );
    accesses.push(...readsOf(explained['QUERY PLAN'][0].Plan, plan));
  }
  await transaction`DEALLOCATE planned`;
  return accesses;
}

function readsOf({ Plans = [], ...node }: PlanNode, plan: Access['plan']): Access[] {
  const inner = Plans.flatMap(node => readsOf(node, plan));
  const { 'Node Type': type, 'Relation Name': table } = node;
  // Of a bitmap's two scans the inner names the index alone, and the outer the table alone.
  if (!type.endsWith('Scan') || table === undefined) return inner;
  const index = node['Index Name'] ?? Plans.find(inner => inner['Index Name'])?.['Index Name'];
  return [...inner, { plan, how: index === undefined ? type : `${type} using ${index}`, table }];
}
