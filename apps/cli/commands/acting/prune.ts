import { sayCount } from '@segue/outbox/operate/count.ts';
import { countPrunable, prune } from '@segue/outbox/operate/prune.ts';
import { showProgress } from '@segue/terminal/progress.ts';
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { readDuration } from '../../duration.ts';
import { Interrupted } from '../../exitCode.ts';
import { addConsentOptions } from './action.ts';
import { type Consent, confirm } from './confirm.ts';

type Options = Consent & { reason: string; actor?: string; olderThan: number };

/** `prune`: deletes old settled requests at once, as the relays do by RELAY_RETENTION_DAYS. */
export function addPrune(program: Command, context: Context): void {
  const command = program
    .command('prune')
    .description('delete settled requests that are older than a duration; what was sent stays in the ledger')
    .requiredOption('--older-than <duration>', 'settled longer ago than: 2d', readDuration);
  addConsentOptions(command).action((options: Options) => run(options, context));
}

async function run(options: Options, context: Context): Promise<void> {
  const { olderThan: olderThanMs, reason, actor } = options;
  const { output, surroundings } = context;
  await context.withDatabase(async sql => {
    const expected = await countPrunable(sql, { olderThanMs });
    const count = `${sayCount(expected)} settled requests`;
    if (options.dryRun) {
      output.print(`prune would delete ${count}; nothing was changed.`);
      output.document({ dryRun: true, rows: expected.count, more: expected.more });
      return;
    }
    if (expected.count > 0 || expected.more) await confirm(`Delete ${count}?`, options, context);
    const progress = showProgress(expected.count, 'requests', surroundings.stderr);
    let deleted = 0;
    try {
      for await (deleted of prune(sql, { olderThanMs, reason, actor })) {
        progress.update(deleted);
        if (surroundings.interrupted.aborted) throw new Interrupted();
      }
    } finally {
      progress.stop();
    }
    output.print(`${deleted.toLocaleString('en')} settled requests deleted.`);
    output.document({ rows: deleted });
  });
}
