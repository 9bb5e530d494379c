import { randomBytes } from 'node:crypto';
import { chown, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { spawnKept } from '@segue/child-process/childProcess.ts';
import type { Home } from './home.ts';

/** The server's superuser, and the name of its one database. */
export const owner = 'segue';

export type Cluster = {
  /** PGDATA. */
  data: string;
  password: string;
};

/**
 * Opens the data of a home, and makes it on first use with initdb (about 1 s): UTF-8, compared byte by byte
 * (locale C, the one that every machine has), a superuser `segue` with a random password.
 *
 * The data is made beside the home and moved there with its password when it is complete. A first start that
 * was killed therefore leaves nothing that a second one could trip over.
 *
 * @param durable false saves initdb the time to make its files safe against a loss of power
 * @throws Error with what initdb said when it fails
 */
export async function openCluster(home: Home, { durable }: { durable: boolean }): Promise<Cluster> {
  const existing = await readCluster(home.folder);
  if (existing) return existing;

  const draft = await mkdtemp(`${home.folder}.`);
  try {
    if (home.user) await chown(draft, home.user.uid, home.user.gid);
    await initialise(home, draft, durable);
    await rename(draft, home.folder).catch(error => {
      // Somebody else was first; theirs is as good.
      if (!['ENOTEMPTY', 'EEXIST'].includes(error.code)) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  const made = await readCluster(home.folder);
  if (made) return made;
  throw new Error(
    `${home.folder} is not empty, and what is in it is not ours. Move it away, or choose another folder.`,
  );
}

async function readCluster(folder: string): Promise<Cluster | null> {
  try {
    return { data: join(folder, 'data'), password: await readFile(join(folder, 'password'), 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function initialise(home: Home, draft: string, durable: boolean): Promise<void> {
  const passwordFile = join(draft, 'password');
  await writeFile(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  if (home.user) await chown(passwordFile, home.user.uid, home.user.gid);

  const said: string[] = [];
  const args = [
    `--pgdata=${join(draft, 'data')}`,
    `--username=${owner}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    ...(durable ? [] : ['--no-sync']),
  ];
  const initdb = await spawnKept(join(home.binaries, 'initdb'), args, {
    ...(home.user && { user: home.user }),
    // Our own working folder may be one that the server's user cannot enter.
    cwd: draft,
    env: { LC_ALL: 'C' },
    output: line => said.push(line),
    removeIfOrphaned: draft,
  });
  const { code, signal } = await initdb.exited;
  if (code !== 0) throw new Error(`initdb failed (${signal ?? `exit code ${code}`}):\n${said.join('\n')}`);
}
