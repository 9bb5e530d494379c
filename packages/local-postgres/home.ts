import { hash } from 'node:crypto';
import { chmod, chown, mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { copiedBinaries, installedBinaries } from './binaries.ts';

/** Where a server lives, and who runs it. */
export type Home = {
  /** Holds `postgres` and `initdb`. */
  binaries: string;
  /** Exists, and the server's user may write to it: what lies in it is that user's. */
  parent: string;
  /** In `parent`; holds `data` and `password`, or is not there yet. */
  folder: string;
  /** Only as root, who may not run PostgreSQL. */
  user?: { uid: number; gid: number };
};

const shared = '/var/lib/segue';

/**
 * For an ordinary user, a home is the data folder itself, and the binaries run where npm put them.
 *
 * PostgreSQL refuses to run as root. Root's server therefore runs as `postgres` where such a user exists, else
 * as `nobody`, who exists everywhere. Neither can look into /root, where checkout and data folder may lie. So
 * the binaries are copied to /var/lib/segue/postgres-<version>, and the home is /var/lib/segue/data/<hash of
 * the data folder's path>, closed to all others.
 */
export async function homeOf(dataFolder: string): Promise<Home> {
  const path = resolve(dataFolder);
  if (process.getuid?.() !== 0) {
    await mkdir(dirname(path), { recursive: true });
    return { binaries: await installedBinaries(), parent: dirname(path), folder: path };
  }
  const parent = join(shared, 'data');
  await mkdir(parent, { recursive: true });
  // Whatever root's umask is, the server's user must get through.
  await chmod(shared, 0o755);
  const user = await serverUser(parent);
  await chmod(parent, 0o700);
  await chown(parent, user.uid, user.gid);
  const folder = join(parent, hash('sha256', path, 'hex').slice(0, 16));
  return { binaries: await copiedBinaries(shared), parent, folder, user };
}

/** Whoever owns the data stays its owner, also when somebody installs a `postgres` user later. */
async function serverUser(parent: string): Promise<{ uid: number; gid: number }> {
  const { uid, gid } = await stat(parent);
  if (uid !== 0) return { uid, gid };
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map(line => line.split(':'));
  for (const wanted of ['postgres', 'nobody']) {
    const account = accounts.find(([name]) => name === wanted);
    if (account) return { uid: Number(account[2]), gid: Number(account[3]) };
  }
  throw new Error(
    'PostgreSQL does not run as root, and /etc/passwd has neither a user "postgres" nor "nobody" to run it ' +
      'instead. Use an ordinary user, or set DATABASE_URL to a PostgreSQL of your own.',
  );
}
