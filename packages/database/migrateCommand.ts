import { readEnvironment } from '@segue/process/environment.ts';
import { handleSignals } from '@segue/process/firstSignal.ts';
import { reasonOf } from '@segue/process/reason.ts';
import { createLogger, flush } from '@segue/telemetry/logger.ts';
import { migrate } from './migrate.ts';
import { migrateVariables } from './variables.ts';

/** `npm run migrate`: brings `DATABASE_URL` up to date, exits 0; or says in one line why not, and exits 1. */
// A migration that is ended is rolled back. As PID 1 of a container it would not hear the signal by itself.
handleSignals(signal => process.exit(signal === 'SIGINT' ? 130 : 143));

const logger = createLogger('migrate', 'info');
try {
  const configuration = readEnvironment(migrateVariables);
  await migrate(configuration.DATABASE_URL, {
    schema: configuration.DATABASE_SCHEMA,
    lockTimeoutMs: configuration.MIGRATE_LOCK_TIMEOUT_MS,
    onWarning: warning => logger.warn({ event: 'migration_warning' }, warning),
    onWaiting: message => logger.info({ event: 'migration_waiting' }, message),
  });
  logger.info({ event: 'migrated' }, 'the database is up to date');
} catch (error) {
  logger.fatal({ event: 'migration_failed', error: reasonOf(error) }, `not migrated: ${reasonOf(error)}`);
  process.exitCode = 1;
}
await flush(logger);
