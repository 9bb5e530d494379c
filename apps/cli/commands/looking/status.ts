import { type Overview, readOverview } from '@segue/outbox/operate/findings.ts';
import { type OutboxStat, readStats } from '@segue/outbox/operate/stats.ts';
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { sayDuration } from '../../duration.ts';
import { exitCode } from '../../exitCode.ts';
import type { Output } from '../../output.ts';

/** `status`: is it healthy, is it keeping up, what is stuck. Exits 10 when something needs a person. */
export function addStatus(program: Command, context: Context): void {
  program
    .command('status')
    .description('say what waits, what is sent, who sends it, and what needs a person')
    .action(() => status(context));
}

async function status(context: Context): Promise<void> {
  const { output } = context;
  const [overview, stats] = await context.withDatabase(sql =>
    Promise.all([readOverview(sql), readStats(sql)]),
  );
  output.print(...statusLines(overview, stats, output));
  output.document({ ...overview, stats });
  if (overview.findings.length > 0) context.exitCode = exitCode.found;
}

export function statusLines(
  { backlog, relays, findings }: Overview,
  stats: OutboxStat[],
  output: Output,
): string[] {
  const oldest =
    backlog.oldestSeconds === null ? '' : `, the oldest for ${sayDuration(backlog.oldestSeconds)}`;
  const waiting = backlog.waiting > 0 ? `, ${count(backlog.waiting)} of them for a later attempt` : '';
  const lines = [
    `${count(backlog.open)} requests wait${oldest}${waiting}; ${count(backlog.dead)} are dead.`,
    '',
  ];
  const cells = stats.map(stat => [
    stat.status,
    stat.reason ?? '',
    `${stat.exact ? '' : '~'}${count(stat.requests)}`,
    count(stat.last5Minutes),
    count(stat.last60Minutes),
  ]);
  lines.push(...output.tableLines(['status', 'reason', 'requests', 'last 5 min', 'last 60 min'], cells), '');
  lines.push(
    ...output.tableLines(
      ['relay', 'version', 'state', 'slots', 'since', 'last seen'],
      relays.map(({ host, version, state, slots, since, silentSeconds }) => [
        host,
        version,
        state,
        String(slots),
        since.toISOString(),
        `${sayDuration(silentSeconds)} ago`,
      ]),
    ),
    '',
  );
  if (findings.length === 0) return [...lines, output.style('green', 'Nothing needs a person.')];
  for (const { severity, summary, remedy } of findings) {
    lines.push(
      `${output.style(severity === 'failure' ? 'red' : 'yellow', severity)}  ${summary}`,
      `  → ${remedy}`,
    );
  }
  return lines;
}

function count(figure: number): string {
  return figure.toLocaleString('en');
}
