import type { Sql } from '@segue/database/connection.ts';
import { type Action, type ActOptions, act, type Refusal, type Step } from '@segue/outbox/operate/act.ts';
import { pause } from '@segue/process/pause.ts';
import { reasonOf } from '@segue/process/reason.ts';

/** An action in several steps, as far as it is. */
export type Job = {
  /** In `ingestion_actions`. */
  actionId: number;
  state: 'running' | 'done' | 'stopped' | 'failed';
  rows: number;
  refused: number;
  refusals: Refusal[];
  /** How many were counted before; undefined where they were not. */
  expected: number | undefined;
  failure?: string;
};

/** Rows a step: each is a transaction of its own, and holds its rows for some 50 ms. */
const rowsAtOnce = 500;
/** The relays have the rows and the disk to themselves in between. */
const restMs = 50;
const keptJobs = 200;
const keptRefusals = 100;

/** Actions that somebody has started here. Their figures are in the database; what is kept here is how they go on. */
export class Jobs {
  #sql: Sql;
  #jobs = new Map<number, Job>();
  #running = new Set<Promise<void>>();
  #stopping = new AbortController();

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /**
   * Does the first step, and the others in the background.
   *
   * @throws ActionRefused, ActionInvalid as `act` does, when nothing was changed
   */
  async start(action: Action, options: ActOptions, expected?: number): Promise<Job> {
    const first = await act(this.#sql, action, { ...options, atMost: rowsAtOnce });
    const { actionId, rows, refused, refusals } = first;
    const state = first.next === null ? 'done' : 'running';
    const job: Job = { actionId: actionId as number, state, rows, refused, refusals, expected };
    this.#jobs.set(job.actionId, job);
    for (const id of this.#jobs.keys()) {
      if (this.#jobs.size <= keptJobs) break;
      this.#jobs.delete(id);
    }
    if (first.next !== null) {
      const work = this.#goOn(job, action, options, first.next).finally(() => this.#running.delete(work));
      this.#running.add(work);
    }
    return job;
  }

  get(actionId: number): Job | undefined {
    return this.#jobs.get(actionId);
  }

  /** Ends those that are under way between two steps; what was done stays done. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#running);
  }

  async #goOn(job: Job, action: Action, options: ActOptions, after: string): Promise<void> {
    const { signal } = this.#stopping;
    try {
      for (let next: string | null = after; next !== null; ) {
        await pause(restMs, signal);
        if (signal.aborted) {
          job.state = 'stopped';
          return;
        }
        const step: Step = await act(this.#sql, action, {
          ...options,
          atMost: rowsAtOnce,
          after: next,
          continues: job.actionId,
        });
        job.rows += step.rows;
        job.refused += step.refused;
        job.refusals = [...job.refusals, ...step.refusals].slice(0, keptRefusals);
        next = step.next;
      }
      job.state = 'done';
    } catch (error) {
      job.state = 'failed';
      job.failure = reasonOf(error);
    }
  }
}
