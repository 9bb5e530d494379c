type Line = { running: number; waiting: (() => void)[] };

/**
 * Reads of one user that the database is asked at a time. A count of a large library takes it a second: ten of one user
 * took all connections and both processors, and additions of others failed for want of one.
 */
const atOnce = 2;

/** Lets each user have a few reads of the database at a time; their others wait in line, and nobody else's do. */
export class ReadingLines {
  readonly #lines = new Map<string, Line>();

  /** @throws what the work throws */
  async run<Result>(userId: string, work: () => Promise<Result>): Promise<Result> {
    const line = this.#lineOf(userId);
    if (line.running < atOnce) line.running++;
    // Whoever ends hands on their place.
    else await new Promise<void>(resolve => line.waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = line.waiting.shift();
      if (next !== undefined) next();
      else if (--line.running === 0) this.#lines.delete(userId);
    }
  }

  #lineOf(userId: string): Line {
    const known = this.#lines.get(userId);
    if (known !== undefined) return known;
    const line = { running: 0, waiting: [] };
    this.#lines.set(userId, line);
    return line;
  }
}
