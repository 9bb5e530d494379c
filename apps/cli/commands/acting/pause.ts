import { readBacklog } from '@segue/outbox/operate/backlog.ts';
import { pauseSending, readSending, resumeSending } from '@segue/outbox/operate/sending.ts';
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { sayDuration } from '../../duration.ts';
import { addConsentOptions } from './action.ts';
import { type Consent, confirm } from './confirm.ts';

type Options = Consent & { reason: string; actor?: string };

/** `pause`: stops all relays from sending. */
export function addPause(program: Command, context: Context): void {
  const command = program
    .command('pause')
    .description('stop all relays from sending; additions go on, and wait');
  addConsentOptions(command).action((options: Options) => pause(options, context));
}

/** `resume`: lets them send again. */
export function addResume(program: Command, context: Context): void {
  const command = program.command('resume').description('let the relays send again');
  addConsentOptions(command).action((options: Options) => resume(options, context));
}

async function pause(options: Options, context: Context): Promise<void> {
  const { output } = context;
  await context.withDatabase(async sql => {
    const { open } = await readBacklog(sql);
    if (options.dryRun) {
      output.print(`pause would hold back ${open} open requests, and all to come; nothing was changed.`);
      output.document({ dryRun: true, rows: open });
      return;
    }
    await confirm(`Pause all relays? ${open} requests are open.`, options, context);
    await pauseSending(sql, options);
    output.print('Sending is paused. Requests wait until `outbox resume`.');
    output.document({ paused: true, open });
  });
}

async function resume(options: Options, context: Context): Promise<void> {
  const { output } = context;
  await context.withDatabase(async sql => {
    const [{ paused }, { open }] = [await readSending(sql), await readBacklog(sql)];
    if (options.dryRun) {
      output.print(
        `resume would let ${open} open requests be sent; sending is ${paused ? '' : 'not '}paused.`,
      );
      output.document({ dryRun: true, rows: open, paused: paused !== null });
      return;
    }
    if (paused) await confirm(`Let the relays send again? ${open} requests are open.`, options, context);
    const seconds = await resumeSending(sql, options);
    output.print(`The relays send again. They were paused for ${sayDuration(seconds)}.`);
    output.document({ paused: false, pausedSeconds: seconds, open });
  });
}
