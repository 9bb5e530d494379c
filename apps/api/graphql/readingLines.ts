type Line = { running: number; waiting: (() => void)[] };

/**
 * Reads of one user that the database is asked at a time. A count of a large library takes it a second: ten of one user
 * took all connections and both processors, and additions of others failed for want of one.
 */
const ofUser = 2;

/**
 * Reads of all users at a time. Most take a millisecond or two, so that three are more than the API's thread can ask for;
 * each that takes long competes with the API for a processor where both are on one machine. The other connections are for
 * additions.
 */
const ofAll = 3;

/** Lets few reads of the database run at a time: some of each user, in turns. The others wait in their user's line. */
export class ReadingLines {
  /** Of users with a read that runs or waits. Whoever's turn was longest ago is the first. */
  readonly #lines = new Map<string, Line>();
  #running = 0;

  /** @throws what the work throws */
  async run<Result>(userId: string, work: () => Promise<Result>): Promise<Result> {
    const line = this.#lineOf(userId);
    await new Promise<void>(begin => {
      line.waiting.push(begin);
      this.#beginNext();
    });
    try {
      return await work();
    } finally {
      this.#running--;
      line.running--;
      if (line.running === 0 && line.waiting.length === 0) this.#lines.delete(userId);
      this.#beginNext();
    }
  }

  #beginNext(): void {
    for (const [userId, line] of this.#lines) {
      if (this.#running === ofAll) return;
      if (line.running === ofUser) continue;
      const begin = line.waiting.shift();
      if (begin === undefined) continue;
      this.#running++;
      line.running++;
      // To the end of the turns, which this loop reaches as well.
      this.#lines.delete(userId);
      this.#lines.set(userId, line);
      begin();
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
