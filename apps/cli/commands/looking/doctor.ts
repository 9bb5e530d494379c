import { connect } from '@segue/database/connection.ts';
import type { Style } from '@segue/terminal/style.ts';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { findDatabase } from '../../configuration.ts';
import type { Context } from '../../context.ts';
import type { Finding } from '../../doctor/check.ts';
import { checks } from '../../doctor/checks.ts';
import { type Examined, examine } from '../../doctor/examine.ts';
import { readDuration } from '../../duration.ts';
import { exitCode } from '../../exitCode.ts';

const styles: Record<Finding['state'], Style> = {
  ok: 'green',
  warning: 'yellow',
  failure: 'red',
  skipped: 'dim',
};

/** `doctor`: looks at everything that Segue needs, and says what to do. */
export function addDoctor(program: Command, context: Context): void {
  program
    .command('doctor')
    .description('check everything that the outbox needs, and say what mends it')
    .option(
      '--only <names>',
      `checks to run, by commas: ${checks.map(({ name }) => name).join(', ')}`,
      readNames,
    )
    .addOption(
      new Option('--old <duration>', 'from when on a transaction or a waiting row counts as old')
        .argParser(readDuration)
        .default(900_000, '15m'),
    )
    .action((options: { only?: string[]; old: number }) => doctor(options, context));
}

async function doctor(
  { only, old: oldAfterMs }: { only?: string[]; old: number },
  context: Context,
): Promise<void> {
  const { surroundings, output } = context;
  const { environment, interrupted } = surroundings;
  const chosen = checks.filter(({ name }) => only === undefined || only.includes(name));
  const { url, schema } = await findDatabase(environment);
  // Not `withDatabase`: a database that is away is a finding, and no end.
  const sql = connect({ url, schema, applicationName: 'segue-doctor', max: 3, deadlineMs: 6_000 });
  const examined: Examined[] = [];
  try {
    for (const pending of examine(
      chosen,
      { environment, url, sql, oldAfterMs, now: Date.now },
      interrupted,
    )) {
      const found = await context.untilInterrupted(pending);
      examined.push(found);
      const mark = output.style(styles[found.state], found.state.padEnd(7));
      output.print(`${mark}  ${found.name.padEnd(12)}  ${found.summary}`);
      if (found.remedy) output.print(`${' '.repeat(23)}→ ${found.remedy}`);
    }
  } finally {
    await sql.end({ timeout: 0 });
  }
  const count = (state: Finding['state']) => examined.filter(found => found.state === state).length;
  const counts = {
    ok: count('ok'),
    warnings: count('warning'),
    failures: count('failure'),
    skipped: count('skipped'),
  };
  output.print(
    '',
    `${counts.failures} failed, ${counts.warnings} with a warning, ${counts.ok} ok, ${counts.skipped} skipped`,
  );
  output.document({ checks: examined, summary: counts });
  if (counts.failures > 0) context.exitCode = exitCode.found;
}

function readNames(text: string): string[] {
  const names = text.split(',').map(name => name.trim());
  const unknown = names.find(name => !checks.some(check => check.name === name));
  if (unknown === undefined) return names;
  throw new InvalidArgumentError(`There is no check "${unknown}".`);
}
