import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Writes the SBOM of what the API, the relay and the worker bring along at run time to stdout, in CycloneDX's format.
 *
 * `npm sbom --omit dev` alone leaves out whatever any workspace needs for development as well, Fastify and pino
 * among it (npm 11.19). So they are installed once more as the images install them, those rooms without their
 * development dependencies. And npm wants a version of every package, so that the rooms get the one of the whole.
 */
type Manifest = { version?: string; dependencies?: Record<string, string>; devDependencies?: unknown };

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = read(join(root, 'package.json'));
const folder = mkdtempSync(join(tmpdir(), 'segue-sbom-'));
try {
  for (const file of ['package.json', 'package-lock.json']) {
    writeFileSync(join(folder, file), readFileSync(join(root, file)));
  }
  const rooms = new Set<string>();
  for (const app of ['apps/api', 'apps/relay', 'apps/worker']) collect(app, rooms);
  for (const room of rooms) {
    mkdirSync(join(folder, room), { recursive: true });
    writeFileSync(
      join(folder, room, 'package.json'),
      JSON.stringify({ ...read(join(root, room, 'package.json')), version }),
    );
  }
  execFileSync(process.execPath, [join(root, 'scripts/leanManifests.ts')], { cwd: folder });
  npm('ci', '--ignore-scripts', '--no-audit', '--no-fund');
  process.stdout.write(npm('sbom', '--sbom-format', 'cyclonedx'));
} finally {
  rmSync(folder, { recursive: true });
}

/** A room, and all that it needs of the others. */
function collect(room: string, rooms: Set<string>): void {
  if (rooms.has(room)) return;
  rooms.add(room);
  for (const name of Object.keys(read(join(root, room, 'package.json')).dependencies ?? {})) {
    const [, own] = /^@segue\/(.+)$/.exec(name) ?? [];
    if (own) collect(`packages/${own}`, rooms);
  }
}

function npm(...args: string[]): string {
  const options = { cwd: folder, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 } as const;
  return execFileSync('npm', [...args, '--loglevel', 'error'], options);
}

function read(file: string): Manifest {
  return JSON.parse(readFileSync(file, 'utf8'));
}
