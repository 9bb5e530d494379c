import { readMigrationState } from '@segue/database/migrationState.ts';
import { type Check, failure, ok } from './check.ts';

/** The tables are there, and those of this version. */
export const migrations: Check = {
  name: 'migrations',
  after: ['database'],
  timeoutMs: 3_000,
  async run({ sql }) {
    try {
      const { missing, isNewer } = await readMigrationState(sql);
      if (isNewer) return ok('a newer version has migrated the database, which this one can work with');
      const [first] = missing;
      if (first === undefined) return ok('all are applied');
      return failure(`${missing.length} are not applied, from ${first} on`, 'npm run migrate');
    } catch (error) {
      if ((error as { code?: unknown }).code !== '42P01') throw error;
      return failure('the database has no tables of ours', 'npm run migrate, with this DATABASE_URL');
    }
  },
};
