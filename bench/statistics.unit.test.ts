import { describe, expect, test } from 'vitest';
import { measured, percentile, ratio } from './statistics.ts';

describe('percentile', () => {
  test('interpolates between neighbours, whatever their order', () => {
    expect(percentile([4, 1, 3, 2], 50)).toBe(2.5);
    expect(percentile([10, 20], 25)).toBe(12.5);
  });

  test('ends at the least and at the most', () => {
    expect(percentile([3, 1, 2], 0)).toBe(1);
    expect(percentile([3, 1, 2], 100)).toBe(3);
  });

  test('sorts by value and not by spelling', () => {
    expect(percentile([9, 10, 100], 100)).toBe(100);
    expect(percentile([9, 10, 100], 50)).toBe(10);
  });

  test('leaves the values as they were', () => {
    const values = [3, 1, 2];
    percentile(values, 50);
    expect(values).toEqual([3, 1, 2]);
  });

  test('refuses to speak of nothing', () => {
    expect(() => percentile([], 50)).toThrow(RangeError);
  });
});

test('several runs give a median and how far they lie apart', () => {
  expect(measured([5, 1, 3])).toEqual({ median: 3, least: 1, most: 5, runs: [5, 1, 3] });
});

describe('ratio', () => {
  test('divides pair by pair, and not the medians', () => {
    // The medians are 3 and 2; the pairs give 1, 3 and 2.
    expect(ratio(measured([2, 3, 8]), measured([2, 1, 4])).median).toBe(2);
  });

  test('needs pairs', () => {
    expect(() => ratio(measured([1, 2]), measured([1]))).toThrow(RangeError);
  });
});
