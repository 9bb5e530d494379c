import { readEnvironment } from '@segue/process/environment.ts';
import { reasonOf } from '@segue/process/reason.ts';
import { sqlSchema } from '../configuration.ts';
import { dataFolderAt, readDatabaseUrl } from '../dataFolder.ts';
import { answerOf } from './sqlAnswer.ts';

/**
 * `npm run sql -- "SELECT …"`: asks the database of DATABASE_URL, or else that of a running `npm start`, without
 * any client installed.
 */
const usage = 'Say what to run: npm run sql -- "SELECT status, count(*) FROM ingestion_outbox GROUP BY 1"';

try {
  const statements = process.argv.slice(2).join(' ');
  if (statements.trim() === '') throw new Error(usage);
  const { DATABASE_URL, DATABASE_SCHEMA, SEGUE_DATA_FOLDER } = readEnvironment(sqlSchema);
  const folder = dataFolderAt(SEGUE_DATA_FOLDER);
  const url = DATABASE_URL ?? (await readDatabaseUrl(folder));
  if (url === null) {
    throw new Error(
      `No database to ask: DATABASE_URL is not set, and there is no ${folder.databaseUrl}, where a running ` +
        '`npm start` leaves its address. Run `npm start` beside this; if it keeps its data elsewhere, set ' +
        'SEGUE_DATA_FOLDER to the same folder',
    );
  }
  for (const line of await answerOf(url, statements, DATABASE_SCHEMA)) console.log(line);
} catch (error) {
  const { code } = error as NodeJS.ErrnoException;
  console.error(
    code === 'ECONNREFUSED' ? `No database answers: ${reasonOf(error)}. Is it running?` : reasonOf(error),
  );
  process.exitCode = 1;
}
