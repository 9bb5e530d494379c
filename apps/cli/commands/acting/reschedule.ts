import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { readDuration } from '../../duration.ts';
import { type ActionOptions, addActionOptions, runAction, selectionOf } from './action.ts';

/** `reschedule`: sets when pending requests may be attempted next. */
export function addReschedule(program: Command, context: Context): void {
  const command = program
    .command('reschedule')
    .description('set when pending requests are attempted next: now, or later')
    .option('--in <duration>', 'so long from now: 90s, 15m, 2h (at once, if it is left out)', readDuration);
  addActionOptions(command).action(
    (named: string[], { in: inMs, ...options }: ActionOptions & { in?: number }) => {
      const at = inMs === undefined ? 'now' : new Date(Date.now() + inMs);
      return runAction(
        'Reschedule',
        { kind: 'reschedule', at },
        selectionOf(named, options),
        options,
        context,
      );
    },
  );
}
