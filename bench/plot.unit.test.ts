import { describe, expect, test } from 'vitest';
import { evenTicks, linePlot } from './plot.ts';

describe('the ticks of the upright axis', () => {
  test.each([
    [24_000, [0, 5_000, 10_000, 15_000, 20_000, 25_000]],
    [4, [0, 1, 2, 3, 4]],
    [9.9, [0, 2, 4, 6, 8, 10]],
    [0.45, [0, 0.1, 0.2, 0.3, 0.4, 0.5]],
    [0, [0, 1]],
  ])('up to %d', (upTo, ticks) => {
    expect(evenTicks(upTo)).toEqual(ticks);
  });

  test.each([0.003, 1, 7, 49, 51, 999, 1_234_567])('there are four to ten steps up to %d', upTo => {
    const ticks = evenTicks(upTo);
    expect(ticks.length).toBeGreaterThanOrEqual(5);
    expect(ticks.length).toBeLessThanOrEqual(11);
    expect(ticks.at(-1)).toBeGreaterThanOrEqual(upTo);
  });
});

describe('a plot', () => {
  const plot = {
    title: 'Claim & settle',
    x: { label: 'rows', ticks: [0, 1, 2].map(at => ({ at, label: `10^${at}` })) },
    y: { label: 'ms' },
    series: [
      {
        name: 'claim <open>',
        points: [
          { x: 0, y: 0 },
          { x: 2, y: 4 },
        ],
      },
    ],
  };

  test('runs from the lower left to the upper right corner of its area', () => {
    expect(linePlot(plot)).toContain('points="72,344 680,72"');
  });

  test('escapes what it writes', () => {
    const svg = linePlot(plot);
    expect(svg).toContain('claim &lt;open>');
    expect(svg).toContain('aria-label="Claim &amp; settle"');
  });

  test('reads in the dark, too', () => {
    expect(linePlot(plot)).toContain('prefers-color-scheme: dark');
  });

  test('draws no more lines than can be told apart', () => {
    const [line] = plot.series;
    expect(() => linePlot({ ...plot, series: Array(5).fill(line) })).toThrow(RangeError);
  });
});
