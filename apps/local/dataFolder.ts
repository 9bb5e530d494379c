import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What `npm start` keeps, file by file. */
export type DataFolder = {
  path: string;
  /** PGDATA and password; as root only their name, since PostgreSQL does not run as root. */
  postgres: string;
  qdrant: string;
  inngest: string;
  logs: string;
  /** The embedded PostgreSQL's address, with its password, while it runs. */
  databaseUrl: string;
  /** How far the tour came. */
  tour: string;
};

export function dataFolderAt(path: string): DataFolder {
  return {
    path,
    postgres: join(path, 'postgres'),
    // Under another name than before there was a worker, whose collection has other vectors.
    qdrant: join(path, 'index.jsonl'),
    inngest: join(path, 'inngest.jsonl'),
    logs: join(path, 'logs'),
    databaseUrl: join(path, 'database-url'),
    tour: join(path, 'tour'),
  };
}

/**
 * Makes the folder on first use.
 *
 * @throws Error naming the folder when it cannot be made
 */
export async function openDataFolder(path: string): Promise<DataFolder> {
  const folder = dataFolderAt(path);
  try {
    await mkdir(folder.path, { recursive: true, mode: 0o700 });
    await mkdir(folder.logs, { recursive: true });
    return folder;
  } catch (cause) {
    throw new Error(`${path} cannot be written to. Set SEGUE_DATA_FOLDER to a folder where data may stay`, {
      cause,
    });
  }
}

/** Tells `npm run sql` and psql where the embedded PostgreSQL is: a file that its owner alone may read. */
export async function publishDatabaseUrl(folder: DataFolder, url: string): Promise<void> {
  await writeFile(folder.databaseUrl, `${url}\n`, { mode: 0o600 });
}

export async function withdrawDatabaseUrl(folder: DataFolder): Promise<void> {
  await rm(folder.databaseUrl, { force: true });
}

/** Null where nothing runs. */
export async function readDatabaseUrl(folder: DataFolder): Promise<string | null> {
  try {
    return (await readFile(folder.databaseUrl, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
