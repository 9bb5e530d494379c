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

/** Makes the statements that are looked at. */
type Work = (transaction: Queryable) => Promise<unknown>;

/** How PostgreSQL carries a statement out. */
type Planned = { plan: Access['plan']; root: PlanNode };

type PlanNode = {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'CTE Name'?: string;
  'Function Name'?: string;
  Plans?: PlanNode[];
};
type Explained = { 'QUERY PLAN': [{ Plan: PlanNode }] };

type Statement = { text: string; values: (string | null)[]; types: number[] };

/**
 * How PostgreSQL carries out the statements that `work` makes, in both plans that it may choose for a prepared
 * statement.
 *
 * The statements are made for real, since some depend on what others answered, and rolled back at the end.
 */
async function plansOf(sql: Sql, work: Work): Promise<Planned[]> {
  const statements: Statement[] = [];
  const plans: Planned[] = [];
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
      for (const statement of statements) plans.push(...(await plansOfStatement(transaction, statement)));
      throw rollback;
    });
  } catch (error) {
    if (error !== rollback) throw error;
  } finally {
    options.debug = false;
  }
  return plans;
}

/** How PostgreSQL reads the tables in the statements that `work` makes, in both plans: see {@link plansOf}. */
export async function accessesOf(sql: Sql, work: Work): Promise<Access[]> {
  return (await plansOf(sql, work)).flatMap(({ plan, root }) => readsOf(root, plan));
}

/**
 * The parts of the statements that are walked again for each row of another part: a thousand rows that look at a
 * thousand others make a million steps. What is looked up in an index is no such part.
 */
export async function partsWalkedAgain(sql: Sql, work: Work): Promise<string[]> {
  const walked = ({ Plans = [], ...node }: PlanNode): string[] => {
    const inner = node['Node Type'] === 'Nested Loop' ? Plans[1] : undefined;
    return [...(inner ? partsIn(inner) : []), ...Plans.flatMap(walked)];
  };
  return [...new Set((await plansOf(sql, work)).flatMap(({ root }) => walked(root)))];
}

function partsIn({ Plans = [], ...node }: PlanNode): string[] {
  const name = node['CTE Name'] ?? node['Function Name'];
  return [...(name === undefined ? [] : [name]), ...Plans.flatMap(partsIn)];
}

/** By how much the work raises a counter of PostgreSQL's: an expression in SQL. */
export function countOf(sql: Sql, counter: string, work: Work): Promise<number> {
  return sql.begin(async transaction => {
    const read = async () => {
      const [answer] = await transaction.unsafe<[{ count: number }]>(`SELECT ${counter}::int AS count`);
      return answer.count;
    };
    const before = await read();
    await work(transaction);
    return (await read()) - before;
  });
}

async function plansOfStatement(transaction: TransactionSql, { text, values, types }: Statement) {
  const list = (items: unknown[]) => (items.length === 0 ? '' : `(${items.join()})`);
  const names = await transaction`
    SELECT CASE oid WHEN 0 THEN 'unknown' ELSE format_type(oid::oid, NULL) END AS name
    FROM unnest(${types}::bigint[]) WITH ORDINALITY AS type (oid, place) ORDER BY place`;
  const literals = values.map(value => (value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`));
  await transaction.unsafe(`PREPARE planned${list(names.map(({ name }) => name))} AS ${text}`);
  const plans: Planned[] = [];
  for (const plan of ['custom', 'generic'] as const) {
    await transaction.unsafe(`SET LOCAL plan_cache_mode = force_${plan}_plan`);
    const [explained] = await transaction.unsafe<[Explained]>(
      `EXPLAIN (FORMAT JSON) EXECUTE planned${list(literals)}`,
    );
    plans.push({ plan, root: explained['QUERY PLAN'][0].Plan });
  }
  await transaction`DEALLOCATE planned`;
  return plans;
}

function readsOf({ Plans = [], ...node }: PlanNode, plan: Access['plan']): Access[] {
  const inner = Plans.flatMap(node => readsOf(node, plan));
  const { 'Node Type': type, 'Relation Name': table } = node;
  // Of a bitmap's two scans the inner names the index alone, and the outer the table alone.
  if (!type.endsWith('Scan') || table === undefined) return inner;
  const index = node['Index Name'] ?? Plans.find(inner => inner['Index Name'])?.['Index Name'];
  return [...inner, { plan, how: index === undefined ? type : `${type} using ${index}`, table }];
}
