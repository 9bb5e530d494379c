import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import type { Part, PartResult } from './bench.ts';
import type { DatabaseServer } from './database.ts';
import { printable as printableTable } from './table.ts';

/** A part that has been measured, and how long that took. */
export type PartRun = { part: Part; result: PartResult; seconds: number };

const file = new URL('results.json', import.meta.url);
const plots = new URL('plots/', import.meta.url);

/** A part for people. */
export function printable({ result, seconds }: PartRun): string {
  const goals = result.goals.map(
    ({ goal, measured, met }) => `${met ? 'met   ' : 'MISSED'}  ${goal}: ${measured}`,
  );
  return [
    '',
    ...result.tables.map(table => `${printableTable(table)}\n`),
    ...goals,
    `(${Math.round(seconds)} s)`,
  ].join('\n');
}

/** Writes the part's plots, and puts it in its place in `results.json`; other parts stay as they are there. */
export async function writeResults(
  { part, result, seconds }: PartRun,
  server: DatabaseServer,
): Promise<void> {
  const { tables, goals, figures, plots: drawings = {} } = result;
  await mkdir(plots, { recursive: true });
  for (const [name, svg] of Object.entries(drawings)) await writeFile(new URL(`${name}.svg`, plots), svg);

  const before = JSON.parse(await readFile(file, 'utf8').catch(() => '{}'));
  const results = {
    ...before,
    [part.name]: {
      measuredAt: new Date().toISOString(),
      seconds: Math.round(seconds),
      machine: describeMachine(server),
      goals,
      tables,
      figures,
    },
  };
  await writeFile(file, `${JSON.stringify(results, null, 2)}\n`);
}

function describeMachine({ version, settings }: DatabaseServer) {
  const [cpu] = cpus();
  return {
    cpu: cpu?.model,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    database: version,
    databaseSettings: settings,
  };
}
