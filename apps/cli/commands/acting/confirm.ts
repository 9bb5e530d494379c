import { createInterface } from 'node:readline/promises';
import type { Context } from '../../context.ts';
import { Failure, UsageError } from '../../exitCode.ts';

export type Consent = { yes?: boolean; dryRun?: boolean };

/**
 * Asks before a change, with what it is about: `Requeue 12 requests?`.
 *
 * @throws Failure when the person says no; UsageError where nobody can be asked and `--yes` is missing
 */
export async function confirm(question: string, { yes }: Consent, context: Context): Promise<void> {
  if (yes) return;
  const { stdin, stderr } = context.surroundings;
  if (!stdin.isTTY || !stderr.isTTY) {
    throw new UsageError(`"${question}" is asked at a terminal alone; give --yes where there is none`);
  }
  const lines = createInterface({ input: stdin, output: stderr, terminal: false });
  try {
    stderr.write(`${question} [y/N] `);
    const answer = await context.untilInterrupted(
      Promise.race([
        new Promise<string>(resolve => lines.once('line', resolve)),
        new Promise<string>(resolve => lines.once('close', () => resolve(''))),
      ]),
    );
    if (!/^y(es)?$/i.test(answer.trim())) throw new Failure('not confirmed: nothing was changed');
  } finally {
    lines.close();
  }
}
