import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { declaredMetrics, type MetricEntry } from '@segue/telemetry/metrics/declaredMetrics.ts';
import { createMeter } from '@segue/telemetry/metrics/meter.ts';
import { beforeAll, describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

const rules = read('ops/prometheus/alerts.yml');
const alerts = rules.split(/^ +- alert: /m).slice(1);
const alertNames = alerts.map(alert => alert.split('\n')[0] as string);
const recorded = [...rules.matchAll(/^ +- record: (\S+)$/gm)].map(([, name]) => name as string);

type Target = { expr: string; legendFormat: string };
type Panel = {
  title: string;
  type: string;
  description?: string;
  fieldConfig: { defaults: { unit?: string } };
  targets?: Target[];
};
const dashboard: {
  uid: string;
  id: null;
  editable: boolean;
  schemaVersion: number;
  __inputs?: unknown;
  templating: { list: { name: string; type: string }[] };
  panels: Panel[];
} = JSON.parse(read('ops/grafana/segue.json'));
const panels = dashboard.panels.filter(({ type }) => type !== 'row');

/** Everything that Prometheus finds at our processes: ours, and those of Node and the process. */
const known = new Map<string, MetricEntry | null>();

beforeAll(async () => {
  for (const by of ['api', 'relay', 'worker'] as const) {
    const types = (await createMeter(by).text()).matchAll(/^# TYPE (\S+) (\S+)$/gm);
    for (const [, name = '', type] of types) {
      const entry = (declaredMetrics as Record<string, MetricEntry>)[name] ?? null;
      const names = type === 'histogram' ? ['_bucket', '_sum', '_count'].map(end => name + end) : [name];
      for (const each of names) known.set(each, entry);
    }
  }
});

/** What of an expression no process shows: a name, a label, or the value of a label. */
function strangersIn(expression: string): string[] {
  const selectors = [
    ...expression.matchAll(/(?<![\w:"])((?:segue|nodejs|process)_\w+)(?:\{([^}]*)\})?/g),
  ].map(([, name = '', labels = '']) => ({ name, labels }));
  const strange = selectors.flatMap(({ name, labels }) => {
    const entry = known.get(name);
    if (entry === undefined) return [name];
    return [...labels.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)].flatMap(
      ([whole, label = '', , values = '']) => {
        if (values.startsWith('$') || ['job', 'instance', 'le'].includes(label)) return [];
        const allowed = entry?.labels?.[label];
        return values.split('|').every(value => allowed?.includes(value)) ? [] : [`${name}{${whole}}`];
      },
    );
  });
  const records = [...expression.matchAll(/segue:[\w:]+/g)].map(([name]) => name);
  return [...strange, ...records.filter(name => !recorded.includes(name))];
}

test('a name, a label or a value that no process shows is found', () => {
  expect(
    strangersIn('segue_eaten_total + segue_relay_rows_total{outcome="eaten"} + segue:eaten + nodejs_eaten'),
  ).toEqual(['segue_eaten_total', 'segue_relay_rows_total{outcome="eaten"}', 'nodejs_eaten', 'segue:eaten']);
  expect(strangersIn('rate(segue_relay_batch_seconds[5m])')).toEqual(['segue_relay_batch_seconds']);
  expect(strangersIn('segue_relay_batch_seconds_bucket{job="x",le="1"}')).toEqual([]);
});

describe('the alerts', () => {
  test('are about metrics that there are', () => {
    expect(alertNames.length).toBeGreaterThan(15);
    expect(strangersIn(rules.replace(/^ +(#.*|summary:.*|description:[\s\S]*?)$/gm, ''))).toEqual([]);
  });

  test.each(alertNames)('%s says how grave it is, what is, and where to read on', name => {
    const alert = alerts[alertNames.indexOf(name)] as string;
    expect(name).toMatch(/^Segue([A-Z][a-z]+)+$/);
    expect(alert).toMatch(/severity: (page|ticket|warning)\n/);
    expect(alert).toMatch(/summary: \S/);
    expect(alert).toMatch(/description: \S/);
    const [, page = '', anchor = ''] =
      /runbook_url: (docs\/runbook\/[\w-]+\.md)#([\w-]+)$/m.exec(alert) ?? [];
    expect(existsSync(join(root, page)), `${page} exists`).toBe(true);
    const anchors = [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    );
    expect(anchors).toContain(anchor);
  });

  test.each(alertNames)('%s has a case in which it fires', name => {
    expect(read('ops/prometheus/alerts.test.yml')).toContain(`  - name: ${name}\n`);
  });
});

describe('the dashboard', () => {
  test('can be imported anywhere', () => {
    expect(dashboard).toMatchObject({ uid: 'segue', id: null, editable: false });
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(39);
    expect(dashboard.__inputs).toBeUndefined();
    expect(dashboard.templating.list.map(({ name, type }) => `${name}: ${type}`)).toEqual([
      'datasource: datasource',
      'job: query',
      'instance: query',
    ]);
  });

  test('is about metrics that there are', () => {
    const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(expressions.length).toBeGreaterThan(20);
    expect(expressions.flatMap(strangersIn)).toEqual([]);
  });

  test.each(panels.map(panel => [panel.title, panel] as const))(
    '%s says what it shows, in which unit',
    (title, panel) => {
      expect(title).toMatch(/^[A-Z]/);
      expect(panel.description).toMatch(/\.$/);
      expect(panel.fieldConfig.defaults.unit).toBeTruthy();
      for (const { expr } of panel.targets ?? []) {
        // Counters and histograms say nothing by themselves, and the range has to follow the width of the picture.
        const counters = [...expr.matchAll(/segue_\w+(?:_total|_bucket|_sum|_count)\b/g)];
        for (const [counter] of counters) {
          expect(expr).toMatch(
            new RegExp(`(rate|increase)\\(${counter}\\{[^}]*\\}\\[\\$__(rate_interval|range)\\]`),
          );
        }
        for (const [, labels = ''] of expr.matchAll(/(?:segue|nodejs|process)_\w+\{([^}]*)\}/g)) {
          expect(labels).toMatch(/job=~"\$job",instance=~"\$instance"/);
        }
      }
    },
  );
});
