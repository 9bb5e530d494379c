import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { completeLinks, copiedBinaries } from './binaries.ts';

test('four processes that need the copy at once get one, and anybody may run it', async () => {
  const folder = await freshFolder();
  await chmod(folder, 0o755);
  const copies = await Promise.all([1, 2, 3, 4].map(() => copiedBinaries(folder)));

  expect(new Set(copies).size).toBe(1);
  expect(await readdir(folder)).toHaveLength(1);
  const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  for (const program of ['postgres', 'initdb']) {
    const { stdout } = await promisify(execFile)(join(copies[0] ?? '', program), ['--version'], {
      ...nobody,
      cwd: '/',
      env: {},
    });
    expect(stdout).toContain('(PostgreSQL) 18.');
  }
});

test('links that a skipped install script did not make are made, and those that are there stay', async () => {
  const root = await freshFolder();
  await mkdir(join(root, 'native/lib'), { recursive: true });
  const links = ['libpq.so', 'libpq.so.5'].map(name => ({
    source: 'native/lib/libpq.so.5.18',
    target: `native/lib/${name}`,
  }));
  await writeFile(join(root, 'native/pg-symlinks.json'), JSON.stringify(links));
  await completeLinks(root);
  await rm(join(root, 'native/lib/libpq.so'));
  await completeLinks(root);

  expect(await readlink(join(root, 'native/lib/libpq.so'))).toBe('libpq.so.5.18');
  expect(await readlink(join(root, 'native/lib/libpq.so.5'))).toBe('libpq.so.5.18');
});

async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'segue-binaries-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
