import { defineConfig } from 'drizzle-kit';

/** For `npx drizzle-kit generate`: makes the next migration from what changed in the schema. */
export default defineConfig({
  dialect: 'postgresql',
  schema: [
    'packages/database/schema/tables.ts',
    'packages/database/schema/relayTables.ts',
    'packages/database/schema/operateTables.ts',
  ],
  out: 'drizzle',
});
