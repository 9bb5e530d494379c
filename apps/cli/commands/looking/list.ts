import { CursorError, find, type Order, type Page } from '@segue/outbox/operate/find.ts';
import { type Command, Option } from 'commander';
import type { Context } from '../../context.ts';
import { UsageError } from '../../exitCode.ts';
import { addFilterOptions, filterOf, type GivenFilter, readCount } from '../filterOptions.ts';
import { requestCells, requestTitles } from './requestTable.ts';

type Options = GivenFilter & { order: Order; limit: number; after?: string };

/** `list`: requests, filtered, a page at a time. */
export function addList(program: Command, context: Context): void {
  const command = program.command('list').description('list requests, the newest first');
  addFilterOptions(command)
    .addOption(
      new Option('--order <order>', 'by the moment of the request')
        .choices(['newest', 'oldest'])
        .default('newest'),
    )
    .option('--limit <n>', 'rows a page, 1,000 at the most', readCount, 50)
    .option('--after <cursor>', 'go on behind a page: its `next`')
    .action((options: Options) => list(options, context));
}

async function list({ order, limit, after, ...given }: Options, context: Context): Promise<void> {
  const { output } = context;
  const filter = filterOf(given);
  const page = await context.withDatabase(async sql => {
    // What fits may be rare: an empty page with a next one is passed over, a person waits for rows.
    let page: Page;
    let from = after;
    do {
      page = await find(sql, { filter, order, limit, after: from }).catch(error => {
        throw error instanceof CursorError ? new UsageError(`--after: ${error.message}`) : error;
      });
      from = page.next ?? undefined;
    } while (page.rows.length === 0 && page.next !== null);
    return page;
  });
  output.table(
    requestTitles,
    page.rows.map(row => requestCells(row)),
  );
  if (page.rows.length === 0) output.say('No request fits.');
  if (page.next !== null && !output.json) output.say(`More: the same command with --after ${page.next}`);
  output.document({ rows: page.rows, next: page.next });
}
