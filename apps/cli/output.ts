import { type Style, styled } from '@segue/terminal/style.ts';
import { table } from '@segue/terminal/table.ts';
import type { Surroundings } from './surroundings.ts';

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
    for (const line of lines) this.#surroundings.stdout.write(`${line}\n`);
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

  /** Talk: what happens, what to do next. */
  say(...lines: string[]): void {
    for (const line of lines) this.#surroundings.stderr.write(`${line}\n`);
  }

  /** Colours a part of a line for stdout. */
  style(style: Style, text: string): string {
    const { stdout, environment } = this.#surroundings;
    return styled(style, text, { stream: stdout, environment });
  }
}
