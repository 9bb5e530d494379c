import { databaseUrl, readEnvironment } from '@segue/process/environment.ts';
import { reasonOf } from '@segue/process/reason.ts';
import { z } from 'zod';
import { dataFolderPath } from '../configuration.ts';
import { dataFolderAt, readDatabaseUrl } from '../dataFolder.ts';
import { answerOf } from './sqlAnswer.ts';

/**
 * `npm run sql -- "SELECT …"`: asks the database of DATABASE_URL, or else that of a running `npm start`, without
 * any client installed.
 */
const usage = 'Say what to run: npm run sql -- "SELECT status, count(*) FROM ingestion_outbox GROUP BY 1"';
const schema = z.object({ DATABASE_URL: databaseUrl.optional(), SEGUE_DATA_FOLDER: dataFolderPath });

try {
  const statements = process.argv.slice(2).join(' ');
  if (statements.trim() === '') throw new Error(usage);
  const { DATABASE_URL, SEGUE_DATA_FOLDER } = readEnvironment(schema);
  const url = DATABASE_URL ?? (await readDatabaseUrl(dataFolderAt(SEGUE_DATA_FOLDER)));
  if (url === null) throw new Error('No database to ask: run `npm start` beside this, or set DATABASE_URL');
  for (const line of await answerOf(url, statements)) console.log(line);
} catch (error) {
  const { code } = error as NodeJS.ErrnoException;
  console.error(
    code === 'ECONNREFUSED' ? `No database answers: ${reasonOf(error)}. Is it running?` : reasonOf(error),
  );
  process.exitCode = 1;
}
