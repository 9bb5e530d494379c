import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** The rooms of the house, and which others each may look into. */
const mayImport: Record<string, string[]> = {
  'packages/ingestion': [],
  'packages/child-process': [],
  'packages/terminal': [],
  'packages/telemetry': ['packages/ingestion'],
  'packages/process': ['packages/telemetry'],
  'packages/http': ['packages/process', 'packages/telemetry'],
  'packages/track-index': ['packages/ingestion', 'packages/process', 'packages/telemetry'],
  'packages/database': ['packages/process', 'packages/telemetry'],
  'packages/outbox': ['packages/ingestion', 'packages/database'],
  'packages/tidal': ['packages/process', 'packages/telemetry'],
  'packages/stand-ins': [],
  'packages/local-postgres': ['packages/child-process', 'packages/process'],
  'packages/testing': [
    'packages/child-process',
    'packages/database',
    'packages/local-postgres',
    'packages/process',
  ],
  'apps/api': ['ingestion', 'telemetry', 'process', 'http', 'database', 'outbox', 'tidal'].map(
    name => `packages/${name}`,
  ),
  'apps/relay': ['ingestion', 'telemetry', 'process', 'http', 'database', 'outbox', 'track-index'].map(
    name => `packages/${name}`,
  ),
  'apps/cli': [
    'ingestion',
    'terminal',
    'telemetry',
    'process',
    'database',
    'outbox',
    'track-index',
    'tidal',
  ].map(name => `packages/${name}`),
  'apps/worker': ['ingestion', 'telemetry', 'process', 'http', 'track-index'].map(name => `packages/${name}`),
  'apps/local': [
    'ingestion',
    'child-process',
    'telemetry',
    'terminal',
    'process',
    'database',
    'local-postgres',
    'stand-ins',
    'track-index',
  ].map(name => `packages/${name}`),
};

/** What tests and their support files may use besides. */
const testsMayImport = [
  'packages/testing',
  'packages/stand-ins',
  'packages/local-postgres',
  'packages/ingestion',
  'packages/process',
  'packages/child-process',
];

/** Libraries that belong to one room: who else imports them has reached through a wall. */
const librariesOf: Record<string, string[]> = {
  inngest: ['apps/relay', 'apps/worker'],
  '@qdrant/js-client-rest': ['packages/track-index'],
  fastify: ['packages/http', 'apps/api', 'apps/relay', 'apps/worker', 'packages/stand-ins'],
  mercurius: ['apps/api'],
  'drizzle-orm': ['apps/api', 'packages/database'],
};

type Import = { file: string; room: string; isTest: boolean; target: string };

/** These may import anything, and nothing imports them. */
const outside = ['bench', 'scripts', 'test'];

const imports: Import[] = globSync(['{apps,packages}/*/**/*.ts', `{${outside.join(',')}}/**/*.ts`], {
  cwd: root,
  exclude: path => path.includes('node_modules'),
}).flatMap(file => {
  const text = readFileSync(join(root, file), 'utf8');
  const room = roomAt(file);
  const isTest = /\.test\.ts$|\/test\/|^(packages\/testing|test|bench|scripts)\//.test(file);
  return [
    ...text.matchAll(/^(?:import|export)\s[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|import\('([^']+)'\)/gm),
  ].map(match => ({ file, room, isTest, target: (match[1] ?? match[2] ?? match[3]) as string }));
});

function roomAt(file: string): string {
  const [first = '', second = ''] = file.split('/');
  return outside.includes(first) ? first : `${first}/${second}`;
}

/** The room that an import leads to, or null for a library. */
function roomOf({ file, target }: Import): string | null {
  if (target.startsWith('.')) return roomAt(relative(root, resolve(root, dirname(file), target)));
  const name = /^@segue\/([^/]+)\//.exec(target)?.[1];
  if (!name) return null;
  if (outside.includes(name)) return name;
  return ['api', 'relay', 'worker', 'cli', 'local'].includes(name) ? `apps/${name}` : `packages/${name}`;
}

type Manifest = { dependencies?: Record<string, string>; devDependencies?: Record<string, string> };

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
}

describe('the direction of imports', () => {
  test('every room stands in the table of what it may import', () => {
    expect(new Set(imports.map(({ room }) => room))).toEqual(
      new Set([...Object.keys(mayImport), ...outside]),
    );
  });

  test('nothing imports bench, scripts or test', () => {
    const strays = imports
      .filter(entry => !outside.includes(entry.room) && outside.includes(roomOf(entry) ?? ''))
      .map(({ file, target }) => `${file} imports ${target}`);
    expect(strays).toEqual([]);
  });

  test.each(Object.keys(mayImport))('%s imports only what it may', room => {
    const allowed = new Set([room, ...(mayImport[room] ?? [])]);
    const strays = imports
      .filter(entry => entry.room === room)
      .filter(entry => {
        const target = roomOf(entry);
        if (target === null || allowed.has(target)) return false;
        return !(entry.isTest && testsMayImport.includes(target));
      })
      .map(({ file, target }) => `${file} imports ${target}`);
    expect(strays).toEqual([]);
  });

  test.each(Object.entries(librariesOf))('%s is used by %j alone', (library, rooms) => {
    const strays = imports
      .filter(({ target }) => target === library || target.startsWith(`${library}/`))
      .filter(({ room, isTest }) => !rooms.includes(room) && !isTest)
      .map(({ file }) => file);
    expect(strays).toEqual([]);
  });

  const rooms = [...Object.keys(mayImport), ...outside];
  test.each(rooms)('%s declares in its manifest what it imports', room => {
    const shared = manifestOf('.').devDependencies ?? {};
    const { dependencies = {}, devDependencies = {} } =
      room === 'scripts' ? manifestOf('.') : manifestOf(room);
    const strays = imports
      .filter(entry => entry.room === room && !/^\.|^node:/.test(entry.target))
      .filter(({ isTest, target }) => {
        const name = /^(@[^/]+\/)?[^/]+/.exec(target)?.[0] ?? target;
        if (name === `@segue/${room.split('/')[1]}` || name in dependencies) return false;
        // What ships needs it where it is installed without development dependencies.
        return !(isTest && (name in devDependencies || name in shared));
      })
      .map(({ file, target }) => `${file} imports ${target}`);
    expect(strays).toEqual([]);
  });
});
