/** What several runs of the same thing gave. */
export type Measured = {
  median: number;
  least: number;
  most: number;
  /** Each run, in order. */
  runs: number[];
};

/** @throws RangeError for no runs at all */
export function measured(runs: number[]): Measured {
  return { median: percentile(runs, 50), least: Math.min(...runs), most: Math.max(...runs), runs };
}

/**
 * Runs divided pair by pair, so that what slowed the machine down for a while slowed both of a pair.
 *
 * @throws RangeError when one was run more often than the other
 */
export function ratio(dividends: Measured, divisors: Measured): Measured {
  if (dividends.runs.length !== divisors.runs.length) throw new RangeError('not run equally often');
  return measured(dividends.runs.map((dividend, run) => dividend / (divisors.runs[run] as number)));
}

/**
 * The value below which that share of the values lies, interpolated between the two nearest (R-7, as in
 * PostgreSQL's `percentile_cont`).
 *
 * @param share 0 to 100
 * @throws RangeError for no values
 */
export function percentile(values: number[], share: number): number {
  if (values.length === 0) throw new RangeError('no values');
  const sorted = Float64Array.from(values).sort();
  const place = ((sorted.length - 1) * share) / 100;
  const below = sorted[Math.floor(place)] as number;
  const above = sorted[Math.ceil(place)] as number;
  return below + (above - below) * (place - Math.floor(place));
}
