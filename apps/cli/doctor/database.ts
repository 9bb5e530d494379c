import { answers } from '@segue/database/reach.ts';
import { type Check, failure, ok } from './check.ts';

/** PostgreSQL answers, in a version that we run on, and takes writes. */
export const database: Check = {
  name: 'database',
  after: [],
  timeoutMs: 5_000,
  async run({ sql }) {
    const start = performance.now();
    try {
      await answers(sql, 4_000);
    } catch (error) {
      const { host, port, database, user } = sql.options;
      return failure(
        `${user}@${host}:${port}/${database} does not answer: ${error instanceof Error ? error.message : error}`,
        'check that PostgreSQL runs there, and DATABASE_URL',
      );
    }
    const answerMs = Math.round(performance.now() - start);
    const [server] = await sql<[{ version: number; standby: boolean; readOnly: boolean }]>`
      SELECT current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS standby,
        current_setting('transaction_read_only')::boolean AS "readOnly"`;
    const major = Math.floor(server.version / 10_000);
    if (server.standby || server.readOnly) {
      return failure(
        `PostgreSQL ${major} answers and is read-only${server.standby ? ': a standby' : ''}`,
        'let DATABASE_URL name the primary: with several hosts, add target_session_attrs=read-write',
      );
    }
    if (major < 15 || major > 18) {
      return failure(
        `PostgreSQL ${major} answers; Segue runs on 15 to 18`,
        'move to a version from 15 to 18',
      );
    }
    return ok(`PostgreSQL ${major} answers in ${answerMs} ms`);
  },
};
