import { ConfigurationError } from '@segue/process/environment.ts';
import { reasonOf } from '@segue/process/reason.ts';
import { Command, CommanderError } from 'commander';
import { commands } from './commands/commands.ts';
import { Context } from './context.ts';
import { type ExitCode, exitCode, Interrupted, UsageError } from './exitCode.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * Runs one command of `npm run outbox`.
 *
 * @param args without Node and the script
 * @returns what the process exits with. Never throws
 */
export async function runCommandLine(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const context = new Context(surroundings);
  context.output.json = args.includes('--json');
  try {
    await createProgram(context).parseAsync(args, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    return report(error, context);
  }
}

export function createProgram(context: Context): Command {
  const { stdout, stderr } = context.surroundings;
  const program = new Command('outbox')
    .description("What waits in Segue's outbox, why, and what to do about it.")
    .exitOverride()
    .configureOutput({
      writeOut: text => stdout.write(text),
      writeErr: text => stderr.write(text),
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
    })
    .showHelpAfterError('(`outbox --help` lists the commands)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed, 2 wrong usage, 10 `status` or `doctor` found something, 130 Ctrl-C.\n' +
        'The database is that of DATABASE_URL, or of an `npm start` on this machine. docs/operating.md has more.',
    );
  for (const add of commands) add(program, context);
  for (const command of program.commands) {
    if (!command.options.some(option => option.long === '--json') && command.name() !== 'completion') {
      command.option('--json', 'print one JSON document and nothing else to stdout');
    }
  }
  return program;
}

function report(error: unknown, { output }: Context): ExitCode {
  if (error instanceof CommanderError) {
    // Commander has said what is wrong, or printed the help that was asked for.
    if (error.exitCode === 0) return exitCode.done;
    return fail(exitCode.usage, 'usage', error.message.replace(/^error: /, ''));
  }
  if (error instanceof Interrupted) {
    output.say('Interrupted. What was done until now stays done; run the same command again to go on.');
    return fail(exitCode.interrupted, 'interrupted', 'interrupted');
  }
  const message = reasonOf(error);
  const usage = error instanceof UsageError || error instanceof ConfigurationError;
  output.say(`error: ${message}`);
  return fail(usage ? exitCode.usage : exitCode.failed, usage ? 'usage' : 'failed', message);

  function fail(code: ExitCode, kind: string, message: string): ExitCode {
    output.document({ error: { kind, message } });
    return code;
  }
}
