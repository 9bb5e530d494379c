import { readActions } from '@segue/outbox/operate/actions.ts';
import { cut } from '@segue/outbox/operate/cut.ts';
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { readCount } from '../filterOptions.ts';

/** `actions`: what people did, the newest first. */
export function addActions(program: Command, context: Context): void {
  program
    .command('actions')
    .description('list what people did to the outbox, and why')
    .option('--limit <n>', 'rows, 1,000 at the most', readCount, 50)
    .option('--before <id>', 'only actions with a lower id', readCount)
    .action((options: { limit: number; before?: number }) => list(options, context));
}

async function list(options: { limit: number; before?: number }, context: Context): Promise<void> {
  const { output } = context;
  const actions = await context.withDatabase(sql => readActions(sql, options));
  output.table(
    ['id', 'when', 'who', 'what', 'rows', 'why', 'by'],
    actions.map(({ id, at, actor, action, rows, reason, source }) => [
      String(id),
      at.toISOString(),
      actor,
      action,
      String(rows),
      cut(reason, 60),
      source,
    ]),
  );
  output.document({ actions });
}
