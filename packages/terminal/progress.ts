import cliProgress from 'cli-progress';
import type { StyledStream } from './style.ts';

/** Shows how far a long work has come. */
export type Progress = {
  /** @param done of the total */
  update(done: number): void;
  stop(): void;
};

/**
 * A bar at a terminal; elsewhere nothing, since a log does not need a line for each step.
 *
 * @param unit what is counted: `rows`
 */
export function showProgress(total: number, unit: string, stream: StyledStream): Progress {
  if (!stream.isTTY) return { update: () => undefined, stop: () => undefined };
  const bar = new cliProgress.SingleBar(
    {
      format: `{bar} {percentage}% | {value} of {total} ${unit} | {eta_formatted} left`,
      stream,
      hideCursor: true,
    },
    cliProgress.Presets.shades_classic,
  );
  bar.start(total, 0);
  return {
    update: done => bar.update(Math.min(done, total)),
    stop: () => bar.stop(),
  };
}
