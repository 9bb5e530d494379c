import { userInfo } from 'node:os';
import {
  type Action,
  ActionInvalid,
  ActionRefused,
  actInSteps,
  type Selection,
  type Step,
} from '@segue/outbox/operate/act.ts';
import { countFor, sayCount } from '@segue/outbox/operate/count.ts';
import { showProgress } from '@segue/terminal/progress.ts';
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { exitCode, Interrupted, UsageError } from '../../exitCode.ts';
import { addFilterOptions, filterOf, type GivenFilter, isFiltered } from '../filterOptions.ts';
import { type Consent, confirm } from './confirm.ts';

export type ActionOptions = GivenFilter & Consent & { reason: string; all?: boolean; actor?: string };

/** What every action takes: which requests, why, and whether to ask. */
export function addActionOptions(command: Command, { status = false } = {}): Command {
  command.argument('[ids-or-isrcs...]', 'ids of requests, or ISRCs (a filter by the options otherwise)');
  addFilterOptions(command, { status });
  return addConsentOptions(command).option('--all', 'everything that it can be done to');
}

export function addConsentOptions(command: Command): Command {
  return command
    .option('--reason <why>', 'why, for those who look later; needed for all but --dry-run')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'say how many it would be, and change nothing')
    .option('--actor <name>', 'who you are, where the machine does not know it', defaultActor())
    .hook('preAction', () => {
      const { reason, dryRun } = command.opts();
      if (!dryRun && !reason?.trim()) command.error("error: required option '--reason <why>' not specified");
    });
}

/** @throws UsageError for none, or more than one way of naming requests */
export function selectionOf(named: string[], options: ActionOptions): Selection {
  const filtered = isFiltered(options);
  if ((named.length > 0 ? 1 : 0) + (filtered ? 1 : 0) + (options.all ? 1 : 0) !== 1) {
    throw new UsageError('say which requests: by ids or ISRCs, by a filter (see --help), or --all');
  }
  if (named.length === 0) return { filter: filterOf(options) };
  const ids = named.filter(name => /^\d{1,11}$/.test(name));
  if (ids.length === named.length) return { ids: ids.map(Number) };
  if (ids.length > 0) throw new UsageError('give ids or ISRCs, not both in one command');
  return { isrcs: named };
}

/**
 * Counts, asks, and acts in steps, with a bar. Exits 1 when something that was named was refused.
 *
 * @param verb as in the question: `Requeue`
 */
export async function runAction(
  verb: string,
  action: Action,
  selection: Selection,
  options: ActionOptions,
  context: Context,
): Promise<void> {
  const { output, surroundings } = context;
  const unit = action.kind === 'release_stuck' ? 'slots' : 'requests';
  const { reason, actor } = options;
  await context.withDatabase(async sql => {
    const expected = await countFor(sql, action, selection).catch(explain);
    const count = `${sayCount(expected)} ${unit}`;
    if (options.dryRun) {
      output.print(`${verb} would change ${count}; nothing was changed.`);
      output.document({ dryRun: true, rows: expected.count, more: expected.more });
      return;
    }
    // None of what was named: the action itself says why. Where the count stopped before it found one, there may be some.
    if (expected.count > 0 || expected.more) await confirm(`${verb} ${count}?`, options, context);
    const progress = showProgress(expected.count, unit, surroundings.stderr);
    let done: Step | undefined;
    try {
      for await (const step of actInSteps(sql, action, { selection, reason, actor })) {
        done = step;
        progress.update(step.rows);
        if (surroundings.interrupted.aborted) throw new Interrupted();
      }
    } catch (error) {
      explain(error);
    } finally {
      progress.stop();
      if (surroundings.interrupted.aborted && done)
        output.say(`${done.rows} ${unit} were changed before the interruption.`);
    }
    if (!done) return;
    output.print(`${done.rows.toLocaleString('en')} ${unit} changed (action ${done.actionId}).`);
    for (const { why } of done.refusals) output.say(why);
    if (done.refused > done.refusals.length)
      output.say(`… and ${done.refused - done.refusals.length} more refused`);
    output.document({
      action: done.actionId,
      rows: done.rows,
      refused: done.refused,
      refusals: done.refusals,
    });
    if (done.refused > 0) context.exitCode = exitCode.failed;
  });

  function explain(error: unknown): never {
    if (error instanceof ActionInvalid) throw new UsageError(error.message);
    if (error instanceof ActionRefused) {
      for (const { why } of error.refusals.slice(1)) output.say(why);
      output.document({ error: { kind: 'refused', message: error.message }, refusals: error.refusals });
    }
    throw error;
  }
}

/** Who sits at this machine; undefined where it does not know, as in a container. */
function defaultActor(): string | undefined {
  try {
    const { username } = userInfo();
    return process.env.SUDO_USER || username;
  } catch {
    return undefined;
  }
}
