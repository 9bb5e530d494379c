import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { databaseSchema, databaseUrl } from '@segue/database/variables.ts';
import { readEnvironment } from '@segue/process/environment.ts';
import { z } from 'zod';
import { Failure } from './exitCode.ts';

/** What `npm run outbox` reads of the environment. */
export const schema = z.object({
  DATABASE_URL: databaseUrl.optional(),
  DATABASE_SCHEMA: databaseSchema,
  /** Where `npm start` keeps its data, and the address of its database while it runs. */
  SEGUE_DATA_FOLDER: z.string().default('.segue'),
});

/**
 * The database of DATABASE_URL, or else that of an `npm start` on the same machine.
 *
 * @throws ConfigurationError for an unusable variable; Failure when there is neither
 */
export async function findDatabase(environment: NodeJS.ProcessEnv): Promise<{ url: string; schema: string }> {
  const {
    DATABASE_URL,
    DATABASE_SCHEMA: schemaName,
    SEGUE_DATA_FOLDER,
  } = readEnvironment(schema, environment);
  if (DATABASE_URL !== undefined) return { url: DATABASE_URL, schema: schemaName };
  const file = join(resolve(SEGUE_DATA_FOLDER), 'database-url');
  try {
    return { url: (await readFile(file, 'utf8')).trim(), schema: schemaName };
  } catch {
    throw new Failure(
      `no database to ask: DATABASE_URL is not set, and no \`npm start\` has left its address in ${file}`,
    );
  }
}
