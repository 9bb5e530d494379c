import type { Measured } from './statistics.ts';

/** Rows of cells; the first row is the head. */
export type Table = { title: string; rows: string[][] };

/** A table for people, in columns; all but the first are aligned to the right, as numbers are. */
export function printable({ title, rows }: Table): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => (row[column] ?? '').length)));
  const line = (row: string[]) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] as number) : cell.padStart(widths[column] as number),
      )
      .join('   ')
      .trimEnd();
  const rule = widths.map(width => '─'.repeat(width)).join('───');
  const [head = [], ...body] = rows;
  return [title, rule, line(head), rule, ...body.map(line), rule].join('\n');
}

/** The median, and in brackets the least and the most: `2.61 [2.55–2.70]`. */
export function withSpread({ median, least, most }: Measured, digits: number): string {
  const text = (value: number) => number(value, digits);
  return `${text(median)} [${text(least)}–${text(most)}]`;
}

/** A number with its thousands apart: `24,312`. */
export function number(value: number, digits = 0): string {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
