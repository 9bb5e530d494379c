import type { Sql } from '@segue/database/connection.ts';
import { openMigrated } from '@segue/database/openMigrated.ts';
import { findDatabase } from './configuration.ts';
import { type ExitCode, exitCode, Interrupted } from './exitCode.ts';
import { Output } from './output.ts';
import type { Surroundings } from './surroundings.ts';

/** A person waits for each statement, and production must not wait for a person. */
const defaultDeadlineMs = 10_000;

/** What each command gets: where its words go, the database, and how it ends. */
export class Context {
  readonly surroundings: Surroundings;
  readonly output: Output;
  exitCode: ExitCode = exitCode.done;

  constructor(surroundings: Surroundings) {
    this.surroundings = surroundings;
    this.output = new Output(surroundings);
  }

  /**
   * Runs work on the database, and closes the connections after it.
   *
   * @param options `deadlineMs`: for one statement; 10 s by default
   * @throws Interrupted at Ctrl-C, whatever the work waits for; else what the work throws
   */
  async withDatabase<Result>(
    work: (sql: Sql) => Promise<Result>,
    { deadlineMs = defaultDeadlineMs }: { deadlineMs?: number } = {},
  ): Promise<Result> {
    const database = await findDatabase(this.surroundings.environment);
    const opening = openMigrated({ ...database, applicationName: 'segue-outbox', max: 2, deadlineMs });
    const sql = await this.untilInterrupted(opening).catch(error => {
      opening.then(late => late.end({ timeout: 0 })).catch(() => undefined);
      throw error;
    });
    try {
      return await this.untilInterrupted(work(sql));
    } finally {
      await sql.end({ timeout: this.surroundings.interrupted.aborted ? 0 : 1 });
    }
  }

  /** @throws Interrupted at Ctrl-C; else what the work throws */
  async untilInterrupted<Result>(work: Promise<Result>): Promise<Result> {
    const { interrupted } = this.surroundings;
    if (interrupted.aborted) throw new Interrupted();
    const end = Promise.withResolvers<never>();
    const abort = () => end.reject(new Interrupted());
    interrupted.addEventListener('abort', abort, { once: true });
    // Work that is left behind fails when its connection is closed, which nobody needs to hear of.
    work.catch(() => undefined);
    try {
      return await Promise.race([work, end.promise]);
    } finally {
      interrupted.removeEventListener('abort', abort);
    }
  }
}
