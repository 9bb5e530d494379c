import { defineConfig } from 'drizzle-kit';

/** For `npx drizzle-kit generate`: makes the next migration from what changed in the schema. */
export default defineConfig({
  dialect: 'postgresql',
  schema: [
    'packages/database/schema.ts',
    'packages/database/relaySchema.ts',
    'packages/database/operateSchema.ts',
  ],
  out: 'drizzle',
});
