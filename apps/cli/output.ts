import { printable } from '@segue/terminal/printable.ts';
import { type Style, styled } from '@segue/terminal/style.ts';
import { table } from '@segue/terminal/table.ts';
import type { Surroundings } from './surroundings.ts';

/** What `style` writes: bold, dim, a colour, and their ends. */
const ownStyles = new RegExp(`(${String.fromCharCode(27)}\\[(?:[12]|22|3\\d)m)`);

/**
 * Where a command's words go: data to stdout, everything else to stderr. With `--json` stdout gets one document and
 * nothing else, also when the command fails.
 */
export class Output {
  readonly #surroundings: Surroundings;
  json = false;
  #documented = false;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** Data for people; silent with `--json`. */
  print(...lines: string[]): void {
    if (this.json) return;
    for (const line of lines) this.#surroundings.stdout.write(`${this.shown(line)}\n`);
  }

  /** A line as it may be written to stdout: of what a terminal obeys, it has at the most our own styles. */
  shown(line: string): string {
    const isStyled = this.style('bold', '') !== '';
    if (!isStyled) return printable(line);
    // Every second part is a style.
    return line
      .split(ownStyles)
      .map((part, index) => (index % 2 === 1 ? part : printable(part)))
      .join('');
  }

  table(titles: readonly string[], rows: readonly (readonly string[])[]): void {
    this.print(...this.tableLines(titles, rows));
  }

  tableLines(titles: readonly string[], rows: readonly (readonly string[])[]): string[] {
    return table(titles, rows);
  }

  /** Data for programs; silent without `--json`. Called once a command. */
  document(value: unknown): void {
    if (!this.json || this.#documented) return;
    this.#documented = true;
    this.#surroundings.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** One document of many, each on a line of its own; a command that writes them writes no other. */
  jsonLine(value: unknown): void {
    this.#documented = true;
    this.#surroundings.stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** Talk: what happens, what to do next. */
  say(...lines: string[]): void {
    for (const line of lines.join('\n').split('\n')) this.#surroundings.stderr.write(`${printable(line)}\n`);
  }

  /** Colours a part of a line for stdout. */
  style(style: Style, text: string): string {
    const { stdout, environment } = this.#surroundings;
    return styled(style, text, { stream: stdout, environment });
  }
}
