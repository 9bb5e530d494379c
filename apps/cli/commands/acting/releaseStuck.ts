import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { isFiltered } from '../filterOptions.ts';
import { type ActionOptions, addActionOptions, runAction, selectionOf } from './action.ts';

/** `release-stuck`: frees the slots of relays that are gone or hang. */
export function addReleaseStuck(program: Command, context: Context): void {
  const command = program
    .command('release-stuck')
    .description('free the slots of relays that are gone or hang: all such, or those of the named requests')
    .option('--force', 'also those of a relay that is alive; what it has in hand is sent by the next');
  addActionOptions(command).action(
    (named: string[], { force, ...options }: ActionOptions & { force?: boolean }) => {
      const whole = named.length === 0 && !isFiltered(options);
      const selection = whole ? ({ all: true } as const) : selectionOf(named, options);
      return runAction('Release', { kind: 'release_stuck', force }, selection, options, context);
    },
  );
}
