import { useDatabase } from '@segue/testing/database.ts';
import { is } from 'drizzle-orm';
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core';
import { expect, test } from 'vitest';
import * as operateTables from './operateTables.ts';
import * as relayTables from './relayTables.ts';
import * as tables from './tables.ts';

const database = useDatabase();

const declared = Object.values({ ...tables, ...relayTables, ...operateTables }).filter(value =>
  is(value, PgTable),
);

/** `name type`, and whether it may be null, as PostgreSQL says it. */
const columnsOfSchema = (table: PgTable) =>
  getTableConfig(table).columns.map(column => {
    // The collation is none of the type's name.
    const type = column.getSQLType().replace(/ COLLATE .*$/, '');
    return `${column.name} ${type}${column.notNull ? ' NOT NULL' : ''}`;
  });

async function columnsOfDatabase(): Promise<Map<string, string[]>> {
  const rows = await database.sql<{ table: string; columns: string[] }[]>`
    SELECT relname AS table,
      array_agg(attname || ' ' || format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END) AS columns
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
    WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND relname <> 'segue_migrations'
    GROUP BY 1`;
  return new Map(rows.map(({ table, columns }) => [table, columns.sort()]));
}

test('each table of the migrated database is in the schema, with the same columns', async () => {
  const inSchema = new Map(
    declared.map(table => [getTableConfig(table).name, columnsOfSchema(table).sort()]),
  );
  expect(Object.fromEntries(await columnsOfDatabase())).toEqual(Object.fromEntries(inSchema));
});
