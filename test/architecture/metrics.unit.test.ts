import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  declaredMetrics,
  type Exporter,
  type MetricEntry,
} from '@segue/telemetry/metrics/declaredMetrics.ts';
import { createMeter } from '@segue/telemetry/metrics/meter.ts';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const entries = Object.entries<MetricEntry>(declaredMetrics);

/** The source of an app, and of the packages that it may look into. */
function sourceOf(by: Exporter): string {
  return globSync([`apps/${by}/**/*.ts`, 'packages/*/**/*.ts'], {
    cwd: root,
    exclude: path => path.includes('node_modules') || path.endsWith('declaredMetrics.ts'),
  })
    .filter(path => !/\.test\.ts$|\/test\/|\/testing\//.test(path))
    .map(path => readFileSync(join(root, path), 'utf8'))
    .join('\n');
}

/** docs/metrics.md. */
function page(): string {
  const sections = entries.map(([name, { type, by, help, labels = {}, buckets }]) =>
    [
      `## ${name}\n`,
      `- Type: ${type}. Of: ${by.join(', ')}.`,
      `- ${type === 'histogram' ? 'Measures' : 'What'}: ${help}`,
      ...Object.entries(labels).map(([label, values]) => `- \`${label}\`: ${values.join(', ')}.`),
      ...(buckets ? [`- Buckets: ${buckets.join(', ')}.`] : []),
      '',
    ].join('\n'),
  );
  return `# Metrics

API, relay and worker each answer \`/metrics\` in the format of Prometheus. Besides the metrics below there are those of Node and of the
process (\`nodejs_…\`, \`process_…\`), as \`prom-client\` has them. \`nodejs_eventloop_lag_p99_seconds\` contains the 50 ms that it is sampled
at: a process that idles says 0.0501.

Figures of the database (\`segue_outbox_…\`, \`segue_database_…\`) are the same at every relay: take the \`max()\` of them, never the \`sum()\`.

This page is written from \`packages/telemetry/metrics/declaredMetrics.ts\` by \`test/architecture/metrics.unit.test.ts\`.

${sections.join('\n')}`;
}

test('docs/metrics.md says what the map of metrics says', async () => {
  await expect(page()).toMatchFileSnapshot(join(root, 'docs/metrics.md'));
});

describe.each(entries)('%s', (name, { type, by, help, labels = {}, buckets }) => {
  test('is written by the code of each process that has it', () => {
    for (const exporter of by) expect(sourceOf(exporter)).toContain(`'${name}'`);
  });

  test("keeps Prometheus's conventions", () => {
    expect(name).toMatch(/^segue_[a-z0-9_]+$/);
    // `_total` on counters alone; base units, as `_seconds`, on what is measured.
    expect(name.endsWith('_total')).toBe(type === 'counter');
    expect(name).not.toMatch(/_(ms|milliseconds|minutes|hours|kilobytes|percent)(_|$)/);
    expect(help).toMatch(/\.$/);
    expect(buckets !== undefined).toBe(type === 'histogram');
    expect(buckets?.toSorted((one, other) => one - other)).toEqual(buckets);
    for (const [label, values] of Object.entries(labels)) {
      expect(label).toMatch(/^[a-z_]+$/);
      for (const value of values) expect(value).toMatch(/^[a-z0-9_-]+$/);
    }
  });
});

test.each(['api', 'relay', 'worker'] as const)(
  'the %s shows what is declared for it, and nothing else of ours',
  async by => {
    const text = await createMeter(by).text();
    const shown = [...text.matchAll(/^# TYPE (segue_\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]);
    expect(shown).toEqual(
      entries.filter(([, entry]) => entry.by.includes(by)).map(([name, { type }]) => [name, type]),
    );
    expect(text).toContain('# TYPE nodejs_eventloop_lag_p99_seconds gauge');
  },
);
