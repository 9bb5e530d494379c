import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { createMeter } from './meter.ts';

/** The lines of a metric, without its description. */
async function linesOf(meter: { text(): Promise<string> }, name: string): Promise<string[]> {
  return (await meter.text()).split('\n').filter(line => line.startsWith(name));
}

test('a counter begins at 0 for each value of its label', async () => {
  const meter = createMeter('relay');
  meter.add('segue_relay_rows_total', { outcome: 'dead' }, 2);
  meter.add('segue_relay_rows_total', { outcome: 'dead' });
  const lines = await linesOf(meter, 'segue_relay_rows_total');
  expect(lines).toContain('segue_relay_rows_total{outcome="dead"} 3');
  expect(lines).toContain('segue_relay_rows_total{outcome="refused"} 0');
});

test('a gauge that nobody has set is left out', async () => {
  const meter = createMeter('relay');
  expect(await linesOf(meter, 'segue_outbox_oldest_seconds')).toEqual([]);
  meter.set('segue_outbox_oldest_seconds', {}, 7);
  expect(await linesOf(meter, 'segue_outbox_oldest_seconds')).toEqual(['segue_outbox_oldest_seconds 7']);
});

test('a gauge that is read says what the reading says at that moment', async () => {
  const meter = createMeter('relay');
  let rows: number | undefined = 1;
  meter.read('segue_outbox_oldest_seconds', {}, () => rows);
  expect(await linesOf(meter, 'segue_outbox_oldest_seconds')).toEqual(['segue_outbox_oldest_seconds 1']);
  rows = undefined;
  expect(await linesOf(meter, 'segue_outbox_oldest_seconds')).toEqual([]);
});

test('a counter that is read is no sum of its readings', async () => {
  const meter = createMeter('relay');
  await meter.text();
  expect(await linesOf(meter, 'segue_log_lines_dropped_total')).toEqual(['segue_log_lines_dropped_total 0']);
});

test('a metric of another process, or an unknown value of a label, does not compile', () => {
  const meter = createMeter('worker');
  // @ts-expect-error: the relay's
  expect(() => meter.add('segue_relay_rows_total', { outcome: 'dead' })).toThrow();
  // @ts-expect-error: no such outcome
  createMeter('relay').add('segue_relay_rows_total', { outcome: 'eaten' });
});

const promtool = spawnSync('promtool', ['--version']).error ? 'not installed' : undefined;

test.skipIf(promtool)(
  `promtool (${promtool ?? 'installed'}) finds nothing wrong with the figures`,
  async () => {
    for (const by of ['api', 'relay', 'worker'] as const) {
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
        input: await createMeter(by).text(),
        encoding: 'utf8',
      });
      expect([status, stdout, stderr]).toEqual([0, '', '']);
    }
  },
);
