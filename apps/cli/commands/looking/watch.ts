import { setTimeout as wait } from 'node:timers/promises';
import { readOverview } from '@segue/outbox/operate/findings.ts';
import { readStats } from '@segue/outbox/operate/stats.ts';
import { reasonOf } from '@segue/process/reason.ts';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Context } from '../../context.ts';
import { readDuration } from '../../duration.ts';
import { Interrupted } from '../../exitCode.ts';
import { statusLines } from './status.ts';

type Options = { every: number; for?: number };

/** `watch`: the status, redrawn in place; a line each time where stdout is no terminal. */
export function addWatch(program: Command, context: Context): void {
  program
    .command('watch')
    .description('show the status again and again, until Ctrl-C')
    .addOption(
      new Option('--every <duration>', 'how often: 1s to 24h').argParser(readInterval).default(2_000, '2s'),
    )
    .option('--for <duration>', 'end after so long', readDuration)
    .option('--json', 'print a JSON document a line and nothing else to stdout')
    .action((options: Options) => watch(options, context));
}

/** Less would be a load for the database, and more is beyond what a timer can wait. */
function readInterval(text: string): number {
  const ms = readDuration(text);
  if (ms < 1_000 || ms > 86_400_000) throw new InvalidArgumentError('Give it as 1s to 24h.');
  return ms;
}

async function watch({ every, for: forMs }: Options, context: Context): Promise<void> {
  const { output, surroundings } = context;
  const { stdout, interrupted } = surroundings;
  const end = forMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + forMs;
  const redraws = stdout.isTTY === true && !output.json;
  let drawn = 0;
  try {
    await context.withDatabase(async sql => {
      for (;;) {
        // Asked again once it is answered: a slow database is not asked more often.
        try {
          const [overview, stats] = await Promise.all([readOverview(sql), readStats(sql)]);
          if (redraws) draw([...statusLines(overview, stats, output), '', new Date().toISOString()]);
          else
            output.jsonLine({
              at: new Date().toISOString(),
              ...overview.backlog,
              findings: overview.findings.map(({ kind }) => kind),
            });
        } catch (error) {
          if (interrupted.aborted) throw error;
          output.say(`the database does not answer: ${reasonOf(error)}; asking again`);
        }
        if (performance.now() + every > end) return;
        await wait(every, undefined, { signal: interrupted });
      }
    });
  } catch (error) {
    // Ctrl-C is how a watch ends.
    if (!(error instanceof Interrupted) && !interrupted.aborted) throw error;
    throw new Interrupted();
  }

  /** Over what was drawn before: the terminal does not scroll. */
  function draw(lines: string[]): void {
    const height = Math.max(1, (stdout.rows ?? 24) - 1);
    const width = stdout.columns ?? 80;
    const shown = lines
      .slice(0, height)
      .map(line => output.shown(line.length > width ? line.slice(0, width) : line));
    const up = drawn > 0 ? `\u001b[${drawn}A` : '';
    stdout.write(`${up}\u001b[0J${shown.join('\n')}\n`);
    drawn = shown.length;
  }
}
