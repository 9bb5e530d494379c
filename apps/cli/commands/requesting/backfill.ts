import { readFile } from 'node:fs/promises';
import type { Sql } from '@segue/database/connection.ts';
import { readIsrc } from '@segue/ingestion/isrc.ts';
import type { IngestionRequest } from '@segue/ingestion/request.ts';
import { readUnrequested } from '@segue/outbox/operate/backfill.ts';
import { reasonOf } from '@segue/process/reason.ts';
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { Interrupted, UsageError } from '../../exitCode.ts';
import { type LibraryFilter, walkLibrary } from '../../library/recordings.ts';
import { addConsentOptions } from '../acting/action.ts';
import {
  defaultPerMinute,
  type RequestOptions,
  readPerMinute,
  requestRecordings,
} from './requestRecordings.ts';

type Options = RequestOptions & LibraryFilter & { isrcFile?: string };

/** `backfill`: requests what the library holds and nobody has ever requested. */
export function addBackfill(program: Command, context: Context): void {
  const command = program
    .command('backfill')
    .description(
      'request the recordings of the library that were never requested, as fast as the worker takes them',
    )
    .option('--user <id>', "of one user's library")
    .option('--artist <name>', 'of items of this artist, whatever its case')
    .option('--album <title>', 'of items of this album, whatever its case')
    .option('--isrc-file <file>', 'of the ISRCs in a file, one a line or separated by commas');
  addMeterOption(addConsentOptions(command)).action((options: Options) => backfill(options, context));
}

export function addMeterOption(command: Command): Command {
  return command.option(
    '--per-minute <number>',
    'requests a minute, those of additions included: what the worker takes (WORKER_THROTTLE_PER_MINUTE)',
    readPerMinute,
    defaultPerMinute,
  );
}

async function backfill(options: Options, context: Context): Promise<void> {
  const { user, artist, album, isrcFile } = options;
  const { output } = context;
  const filter = { user, artist, album };
  const listed = isrcFile === undefined ? null : await readIsrcs(isrcFile, context);
  await context.withDatabase(async sql => {
    const unrequested = new Set<string>();
    const unknown = new Set(listed);
    for await (const page of walkUnrequested(sql, filter, listed, context)) {
      for (const { isrc } of page.seen) unknown.delete(isrc);
      for (const { isrc } of page.wanted) unrequested.add(isrc);
    }
    if (unknown.size > 0)
      output.say(`${unknown.size} ISRCs of ${isrcFile} are of no library item and are left out.`);
    const count = unrequested.size;
    const notInLibrary = listed === null ? {} : { notInLibrary: unknown.size };
    if (options.dryRun) {
      output.print(`backfill would request ${count.toLocaleString('en')} recordings; nothing was changed.`);
      output.document({ dryRun: true, rows: count, ...notInLibrary });
      return;
    }
    if (count === 0) {
      output.print('Nothing to request: every recording has a request, or had one.');
      output.document({ rows: 0, action: null, ...notInLibrary });
      return;
    }
    const selection = { user, artist, album, isrcFile, perMinute: options.perMinute };
    const made = await requestRecordings(
      sql,
      count,
      wantedOf(walkUnrequested(sql, filter, listed, context)),
      { anew: false, selection },
      options,
      context,
    );
    output.print(`${made.rows.toLocaleString('en')} recordings requested (action ${made.action}).`);
    output.document({ ...made, ...notInLibrary });
  });
}

type WalkedPage = { seen: IngestionRequest[]; wanted: IngestionRequest[] };

async function* walkUnrequested(
  sql: Sql,
  filter: LibraryFilter,
  listed: Set<string> | null,
  { surroundings }: Context,
): AsyncGenerator<WalkedPage, void, void> {
  for await (const page of walkLibrary(sql, filter)) {
    if (surroundings.interrupted.aborted) throw new Interrupted();
    const seen = listed === null ? page : page.filter(({ isrc }) => listed.has(isrc));
    if (seen.length === 0) continue;
    const isrcs = seen.map(({ isrc }) => isrc);
    const unrequested = await readUnrequested(sql, isrcs, { anew: false });
    yield { seen, wanted: seen.filter(({ isrc }) => unrequested.has(isrc)) };
  }
}

async function* wantedOf(pages: AsyncIterable<WalkedPage>): AsyncGenerator<IngestionRequest[], void, void> {
  for await (const { wanted } of pages) yield wanted;
}

/**
 * @returns normalised, each once
 * @throws UsageError for a file that cannot be read, or that names no ISRC
 */
async function readIsrcs(file: string, { output }: Context): Promise<Set<string>> {
  const text = await readFile(file, 'utf8').catch(error => {
    throw new UsageError(`${file} cannot be read: ${reasonOf(error)}`);
  });
  const words = text
    .split(/[\r\n\t,;]+/)
    .map(word => word.trim())
    .filter(Boolean);
  const isrcs = new Set<string>();
  const others: string[] = [];
  for (const word of words) {
    const reading = readIsrc(word);
    if ('isrc' in reading) isrcs.add(reading.isrc);
    else others.push(word);
  }
  if (isrcs.size === 0) throw new UsageError(`${file} names no ISRC`);
  if (others.length > 0)
    output.say(
      `${others.length} entries of ${file} are no ISRC and are left out, such as "${others[0]?.slice(0, 40)}".`,
    );
  return isrcs;
}
