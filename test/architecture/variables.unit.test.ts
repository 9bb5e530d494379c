import { globSync, readFileSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { schema as api } from '@segue/api/configuration.ts';
import { schema as cli } from '@segue/cli/configuration.ts';
import { schema as doctor } from '@segue/cli/doctor/inngest.ts';
import { schema as doctorTidal } from '@segue/cli/doctor/tidal.ts';
import { schema as doctorWorker } from '@segue/cli/doctor/worker.ts';
import { schema as reindex } from '@segue/cli/library/findIndex.ts';
import { migrateVariables } from '@segue/database/variables.ts';
import { schema as local, sqlSchema } from '@segue/local/configuration.ts';
import { schema as standIn } from '@segue/local/standIn/configuration.ts';
import { schema as relay } from '@segue/relay/configuration.ts';
import { schema as worker } from '@segue/worker/configuration.ts';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

type VariableType = { safeParse: (value: unknown) => { data?: unknown } };

/** Each file that reads the environment, for which process, and what it reads. */
const readers: [file: string, process: string, schema: { shape: Record<string, VariableType> }][] = [
  ['apps/api/configuration.ts', 'api', api],
  ['apps/relay/configuration.ts', 'relay', relay],
  ['apps/worker/configuration.ts', 'worker', worker],
  ['packages/database/migrateCommand.ts', 'migrate', migrateVariables],
  ['apps/local/configuration.ts', 'start', local],
  ['apps/local/sql/main.ts', 'sql', sqlSchema],
  ['apps/cli/configuration.ts', 'outbox', cli],
  ['apps/cli/doctor/inngest.ts', 'outbox', doctor],
  ['apps/cli/doctor/tidal.ts', 'outbox', doctorTidal],
  ['apps/cli/doctor/worker.ts', 'outbox', doctorWorker],
  ['apps/cli/library/findIndex.ts', 'outbox', reindex],
  ['apps/local/standIn/program.ts', 'stand-ins', standIn],
];

/** As the pages write it: `none` where there is no default, a path below the checkout as a relative one. */
function defaultOf(type: VariableType): string {
  const { data } = type.safeParse(undefined);
  if (data === undefined || (Array.isArray(data) && data.length === 0)) return 'none';
  return isAbsolute(String(data)) && String(data).startsWith(root)
    ? relative(root, String(data))
    : String(data);
}

/** Every variable that a process reads, with its default. Some processes only hand a variable on, and give it none. */
const defaults: Record<string, string> = {};
const processes: Record<string, string[]> = {};
for (const [, process, { shape }] of readers) {
  for (const [name, type] of Object.entries(shape)) {
    const value = defaultOf(type);
    const other = defaults[name] ?? 'none';
    if (other !== 'none' && value !== 'none')
      expect(value, `${process} gives ${name} its own default`).toBe(other);
    defaults[name] = value === 'none' ? other : value;
    processes[name] = [...new Set([...(processes[name] ?? []), process])];
  }
}

type Row = { name: string; value: string; rest: string };

/** The rows of a page's tables that begin with a variable. */
function rowsOf(page: string): Row[] {
  return [...page.matchAll(/^\| `([A-Z][A-Z_]+)` +\| ([^|]+?) +\| ([^|]*?) *\|/gm)].map(
    ([, name = '', value = '', rest = '']) => ({ name, value: value.replaceAll('`', ''), rest }),
  );
}

const defaultsIn = (rows: Row[]) => Object.fromEntries(rows.map(({ name, value }) => [name, value]));

test('every file that reads the environment is in the list of this test', () => {
  const found = globSync('{apps,packages}/**/*.ts', {
    cwd: root,
    exclude: path => /node_modules|\.test\.ts$/.test(path),
  }).filter(file => /(?<!function )readEnvironment\(/.test(read(file)));
  expect(found.sort()).toEqual(readers.map(([file]) => file).sort());
});

test('docs/configuration.md lists every variable with its default, and no other', () => {
  expect(defaultsIn(rowsOf(read('docs/configuration.md')))).toEqual(defaults);
});

test('docs/contract.md says the default and the readers of each variable that it lists', () => {
  const rows = rowsOf(read('docs/contract.md').split('\n## Variables')[1]?.split('\n## ')[0] ?? '');
  expect(rows.length).toBeGreaterThan(40);
  expect(defaults).toMatchObject(defaultsIn(rows));
  expect(rows.map(({ name, rest }) => `${name}: ${rest}`)).toEqual(
    rows.map(
      ({ name }) => `${name}: ${processes[name]?.filter(process => process !== 'stand-ins').join(', ')}`,
    ),
  );
});

test('every page names variables that there are', () => {
  const prefixes = [...new Set(Object.keys(defaults).map(name => name.split('_')[0]))].join('|');
  const mention = new RegExp(`(?<![\\w$])(?:${prefixes})_[A-Z_]+[A-Z](?![\\w…])`, 'g');
  const strays = globSync(['README.md', 'docs/**/*.md'], { cwd: root }).flatMap(file =>
    [...read(file).matchAll(mention)].filter(([name]) => !known(name)).map(([name]) => `${file}: ${name}`),
  );
  expect(strays).toEqual([]);
});

/** Codes of GraphQL errors look like variables. SDKs read some of their own themselves. */
const known = (name: string) =>
  name in defaults ||
  name.startsWith('OTEL_') ||
  name === 'INNGEST_SIGNING_KEY_FALLBACK' ||
  read('docs/graphql.md').includes(`| \`${name}\` `);

test('.env.example has what docker-compose.yml reads, with its defaults, and nothing else', () => {
  const readByCompose = Object.fromEntries(
    [...read('docker-compose.yml').matchAll(/\$\{(\w+):?-([^}]*)\}/g)].map(([, name, value]) => [
      name,
      value,
    ]),
  );
  const lines = [...read('.env.example').matchAll(/^(# )?([A-Z][A-Z_]+)=(.*)$/gm)];
  expect(lines.map(([, , name]) => name).sort()).toEqual(Object.keys(readByCompose).sort());
  const inUse = lines.filter(([, comment]) => !comment);
  expect(Object.fromEntries(inUse.map(([, , name, value]) => [name, value]))).toEqual(
    Object.fromEntries(inUse.map(([, , name = '']) => [name, readByCompose[name]])),
  );
});
