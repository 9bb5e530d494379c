import type { Figures } from './run.ts';

/** Sentences of violations that are printed; one defect can make thousands. */
const longestList = 30;

/** Prints what a run has shown, for the README's table. */
export function printFigures(figures: Figures): void {
  const { tally, faults, rows, violations } = figures;
  const starting = (...rules: string[]) =>
    violations.filter(sentence => rules.some(rule => sentence.startsWith(rule))).length;
  const lines: [string, string | number][] = [
    ['kills survived', sum(tally.kills)],
    ...indented(tally.kills),
    ['clean stops under load', tally.cleanStops],
    ['starts in vain, for want of a database', tally.startsInVain],
    ['processes that stood still', sum(tally.pauses)],
    ...indented(tally.pauses),
    ['late settlements that changed nothing', tally.leasesLost],
    ['most memory of a relay', `${tally.highestMemoryMb} MB`],
    ['faults', sum(faults)],
    ...indented(faults),
    ['recordings added', figures.additions],
    ...indented(rows),
    ['events accepted', figures.events],
    ['sends repeated, and dropped by their id', figures.repeatedSends],
    ['documents in the index', figures.documents],
    ['runs of the worker that failed for good', figures.failedRuns],
    ['additions beside a storm, sent within 5 s', figures.sentInTime],
    ['events lost', starting('R1:', 'R1,')],
    ['duplicates accepted', starting('R5: sent twice')],
    ['longest drain after a round', `${(figures.longestDrainMs / 1_000).toFixed(1)} s`],
    [
      'longest recovery after a kill',
      `${(figures.longestRecoveryMs / 1_000).toFixed(1)} s, outages included`,
    ],
    ['violations', violations.length],
  ];
  for (const [name, value] of lines) console.log(`${name.padEnd(48)} ${value}`);
  for (const sentence of violations.slice(0, longestList)) console.error(`VIOLATION ${sentence}`);
}

function sum(counts: Map<string, number>): number {
  return counts.values().reduce((total, count) => total + count, 0);
}

function indented(counts: Map<string, number>): [string, number][] {
  return [...counts]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, count]) => [`  ${name}`, count]);
}
