import { homeOf } from '@segue/local-postgres/home.ts';
import { type LocalPostgres, startLocalPostgres } from '@segue/local-postgres/localPostgres.ts';
import { type DataFolder, publishDatabaseUrl, withdrawDatabaseUrl } from '../dataFolder.ts';
import { type LogDisplay, openProcessLog } from '../programs/processLog.ts';
import { supervise } from '../programs/supervision.ts';
import type { Service } from './services.ts';

/** The same at each start, where it is free, so that a client need not be told anew. */
export const postgresPort = 54_320;

/** Starts PostgreSQL and keeps it running, always at one address, with which the programs were started. */
export async function startEmbeddedPostgres(
  stack: AsyncDisposableStack,
  folder: DataFolder,
  display: LogDisplay,
): Promise<Service> {
  const log = openProcessLog('postgres', folder.logs, display);
  stack.defer(log.close);
  let first: LocalPostgres | undefined;

  async function start(): Promise<LocalPostgres> {
    const server = await startLocalPostgres({
      dataFolder: folder.postgres,
      port: first?.port ?? postgresPort,
      persistent: true,
      onLog: line => log.take(line, 'stderr'),
    });
    first ??= server;
    if (server.url === first.url) return server;
    await server.stop();
    throw new Error(`Port ${first.port}, on which PostgreSQL was before, is taken`);
  }

  const supervised = { name: 'PostgreSQL', start, lastWords: log.lastWords };
  await stack.use(supervise(supervised, { say: display.say })).ready;
  const { url, port } = first as unknown as LocalPostgres;
  stack.defer(() => withdrawDatabaseUrl(folder));
  await publishDatabaseUrl(folder, url);
  const { folder: home } = await homeOf(folder.postgres);
  return {
    name: 'PostgreSQL',
    kind: 'embedded',
    address: `127.0.0.1:${port}, data in ${home}`,
    environment: { DATABASE_URL: url },
    ...(port !== postgresPort && { takenPort: postgresPort }),
  };
}
