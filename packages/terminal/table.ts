import { printable } from './printable.ts';

/** Characters that a terminal shows two columns wide: those of East Asia, and emoji. */
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const graphemes = new Intl.Segmenter();

/**
 * Lays rows out under their titles, each column as wide as its widest cell.
 *
 * @returns the lines, the titles and a rule first
 */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = rows.map(row => row.map(printable));
  const widths = titles.map((title, column) =>
    cells.reduce((most, row) => Math.max(most, widthOf(row[column] ?? '')), widthOf(title)),
  );
  return [titles, widths.map(width => '─'.repeat(width)), ...cells].map(row => align(row, widths));
}

function align(row: readonly string[], widths: readonly number[]): string {
  return row
    .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell)))
    .join('  ')
    .trimEnd();
}

function widthOf(text: string): number {
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += wide.test(segment) ? 2 : 1;
  return width;
}
