import { databaseUrl, readEnvironment } from '@segue/process/environment.ts';
import { reasonOf } from '@segue/process/reason.ts';
import { createLogger, flush } from '@segue/telemetry/logger.ts';
import { z } from 'zod';
import { migrate } from './migrate.ts';

/** `npm run migrate`: brings `DATABASE_URL` up to date, exits 0; or says in one line why not, and exits 1. */
const logger = createLogger('migrate', 'info');
try {
  const { DATABASE_URL } = readEnvironment(z.object({ DATABASE_URL: databaseUrl }));
  await migrate(DATABASE_URL, warning => logger.warn({ event: 'migration_warning' }, warning));
  logger.info({ event: 'migrated' }, 'the database is up to date');
} catch (error) {
  logger.fatal({ event: 'migration_failed', error: reasonOf(error) }, `not migrated: ${reasonOf(error)}`);
  process.exitCode = 1;
}
await flush(logger);
