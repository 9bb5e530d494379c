import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { type ActionOptions, addActionOptions, runAction, selectionOf } from './action.ts';

/** `discard`: puts dead or pending requests away. */
export function addDiscard(program: Command, context: Context): void {
  const command = program
    .command('discard')
    .description('put away requests that are dead, or pending (--status pending) and not to be sent');
  addActionOptions(command, { status: true }).action((named: string[], options: ActionOptions) =>
    runAction('Discard', { kind: 'discard' }, selectionOf(named, options), options, context),
  );
}
