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
      const { code } = error as { code?: unknown };
      // The logins of API and relay may not read it, and they would not have started on a database that is behind.
      if (code === '42501') return ok(`which are applied, ${sql.options.user} may not read; a reader may`);
      if (code !== '42P01') throw error;
      return failure('the database has no tables of ours', 'npm run migrate, with this DATABASE_URL');
    }
  },
};
