import { type Check, failure, ok, warning } from './check.ts';

/** What each role cannot do its work without, by the migrations: one right of each table that it writes or reads. */
const needed = [
  ['segue_api', 'library_tracks', 'INSERT'],
  ['segue_api', 'library_albums', 'INSERT'],
  ['segue_api', 'ingestion_outbox', 'INSERT'],
  ['segue_api', 'ingestion_ledger', 'SELECT'],
  ['segue_api', 'catalog_pending', 'UPDATE'],
  ['segue_relay', 'ingestion_outbox', 'UPDATE'],
  ['segue_relay', 'ingestion_ledger', 'INSERT'],
  ['segue_relay', 'relay_slots', 'UPDATE'],
  ['segue_relay', 'relays', 'INSERT'],
  ['segue_reader', 'ingestion_outbox_pending', 'SELECT'],
  ['segue_operator', 'ingestion_actions', 'SELECT'],
] as const;

type Right = { role: string; table: string; right: string };

/** The roles of the processes are there and may do what the migrations have granted. */
export const rights: Check = {
  name: 'rights',
  after: ['migrations'],
  timeoutMs: 3_000,
  async run({ sql }) {
    const [roles, tables, wanted] = [0, 1, 2].map(at => needed.map(each => each[at] as string));
    const lacking = await sql<(Right & { exists: boolean })[]>`
      SELECT role, "table", "right", to_regrole(role) IS NOT NULL AS exists
      FROM unnest(${roles as string[]}::text[], ${tables as string[]}::text[], ${wanted as string[]}::text[])
        AS needed (role, "table", "right")
      WHERE CASE WHEN to_regrole(role) IS NULL THEN true ELSE NOT has_table_privilege(role, "table", "right") END`;
    const [denied] = lacking.filter(({ exists }) => exists);
    if (denied) {
      return failure(
        `${denied.role} may not ${denied.right} ${denied.table}${andMore(lacking.length - 1)}`,
        `GRANT ${denied.right} ON ${denied.table} TO ${denied.role}, as the owner of the tables (docs/security.md)`,
      );
    }
    const [missing] = lacking;
    if (missing) {
      return warning(
        `there is no role ${missing.role}: each process has the rights of its login`,
        `have an administrator run CREATE ROLE ${missing.role} NOLOGIN, and then all grants again (docs/security.md#database-roles)`,
      );
    }
    return ok('the roles of API, relay, reader and operator have their rights');
  },
};

function andMore(count: number): string {
  return count > 0 ? ` (and ${count} more)` : '';
}
