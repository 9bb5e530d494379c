import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { type ActionOptions, addActionOptions, runAction, selectionOf } from './action.ts';

/** `requeue`: sends dead requests again. */
export function addRequeue(program: Command, context: Context): void {
  const command = program
    .command('requeue')
    .description('send dead requests again, their attempts counted anew')
    .option('--force', 'send them even if the recording was sent lately, or is in the index');
  addActionOptions(command).action(
    (named: string[], { force, ...options }: ActionOptions & { force?: boolean }) =>
      runAction('Requeue', { kind: 'requeue', force }, selectionOf(named, options), options, context),
  );
}
