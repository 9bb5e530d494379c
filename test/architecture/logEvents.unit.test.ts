import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { LogEventEntry } from '@segue/ingestion/logEvents/entry.ts';
import { logEvents } from '@segue/ingestion/logEvents.ts';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

const sources = globSync('{apps,packages}/*/**/*.ts', {
  cwd: root,
  exclude: path => path.includes('node_modules') || path.startsWith('packages/ingestion/logEvents'),
})
  .filter(path => !/\.test\.ts$|\/test\/|\/testing\//.test(path))
  .map(path => readFileSync(join(root, path), 'utf8'))
  .join('\n');

/** docs/log-events.md. */
function page(): string {
  const entries: [string, LogEventEntry][] = Object.entries(logEvents);
  const sections = entries.map(
    ([event, { levels, by, when, action }]) =>
      `## ${event}\n\n- Level: ${levels.join(', ')}. Logged by: ${by.join(', ')}.\n- When: ${when}\n- What to do: ${action}\n`,
  );
  return `# Log events

Logs are JSON lines on stdout, and readable lines at a terminal. The field \`event\` of a line is one of the following. Lines about
scheduling also carry those of the fields \`isrc\`, \`trackTitle\`, \`result\`, \`reason\`, \`error\`, \`duration_ms\`, \`total_tracks\`,
\`scheduled_count\` and \`skipped_count\` that apply. A line that a request to the API has caused carries \`requestId\`: the answer had it in
the header \`x-request-id\`, and the request's outbox rows have it in \`request_id\`.
\`trace_id\` names the trace, where there is one.

Levels: \`debug\` is of use to developers. \`info\` is the normal course. \`warn\` is out of the ordinary and needs nobody at once. \`error\` is
something that failed: look at it when it goes on. \`fatal\` ends the process. What fails is logged once, where it is handled.

This page is written from \`packages/ingestion/logEvents\` by \`test/architecture/logEvents.unit.test.ts\`.

${sections.join('\n')}`;
}

test('docs/log-events.md says what the map of log events says', async () => {
  await expect(page()).toMatchFileSnapshot(join(root, 'docs/log-events.md'));
});

test.each(Object.keys(logEvents))('%s is logged by the code', event => {
  expect(sources).toContain(`'${event}'`);
});

test('the contract names no event that the code does not know', () => {
  const contract = readFileSync(join(root, 'docs/contract.md'), 'utf8');
  const table = contract.split('## Log events')[1]?.split('\n## ')[0] ?? '';
  const named = table
    .split('\n')
    .filter(line => line.startsWith('| `'))
    .flatMap(line => [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, event]) => event));
  expect(named.length).toBeGreaterThan(8);
  expect(Object.keys(logEvents)).toEqual(expect.arrayContaining(named));
});
