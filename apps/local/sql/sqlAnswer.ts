import { connect } from '@segue/database/connection.ts';
import { table } from '@segue/terminal/table.ts';

/** An answer of postgres.js, its values as PostgreSQL wrote them. */
type RawAnswer = (Buffer | null)[][] & {
  /** `SELECT`, `INSERT`, `CREATE TABLE`; null for an empty statement. */
  command: string | null;
  /** Rows touched; null where the statement touches none. */
  count: number | null;
  columns?: { name: string }[];
};

/**
 * Runs SQL and lays the answers out as tables, each value as PostgreSQL writes it.
 *
 * @param statements one, or several separated by semicolons; what they change, they change
 * @param schema where names without a schema are looked up; by default where the role looks
 * @returns lines
 * @throws what the database says
 */
export async function answerOf(url: string, statements: string, schema?: string): Promise<string[]> {
  const sql = connect({ url, schema, applicationName: 'segue-sql', max: 1 });
  try {
    const answer = (await sql.unsafe(statements).raw()) as unknown as RawAnswer | RawAnswer[];
    // Several statements give an array of answers, which has no command of its own.
    const answers = 'command' in answer ? [answer] : answer;
    return answers.flatMap((each, index) => [...(index > 0 ? [''] : []), ...layOut(each)]);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

function layOut(answer: RawAnswer): string[] {
  const { command, count, columns } = answer;
  if (!columns) return [[command, count].filter(part => part !== null).join(' ')];
  const rows = answer.map(row => row.map(value => value?.toString() ?? ''));
  const titles = columns.map(column => column.name);
  return [...table(titles, rows), `(${rows.length} ${rows.length === 1 ? 'row' : 'rows'})`];
}
