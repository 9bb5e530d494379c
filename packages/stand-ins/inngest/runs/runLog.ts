import { openJournal } from '../../journal.ts';
import type { ReceivedEvent } from '../eventLog.ts';
import type { RegisteredFunction } from './functions.ts';
import { hasEnded, type Run, type StepState } from './run.ts';

/** A line of the file. */
type Change =
  | { app: string; functions: RegisteredFunction[] }
  | { run: Run }
  | { id: string; step: string; state: StepState }
  | { id: string; set: Partial<Run> };

export type RunLog = {
  /** By id. */
  functions(): ReadonlyMap<string, RegisteredFunction>;
  runs(): ReadonlyMap<string, Run>;
  /** Puts an app's functions in place of those it had. */
  register(app: string, functions: RegisteredFunction[]): void;
  add(run: Run): void;
  addStep(run: Run, step: string, state: StepState): void;
  change(run: Run, change: Partial<Run>): void;
  close(): void;
};

/**
 * Keeps functions and runs in memory and, where a file is named, in it. A run that has ended is kept as long as its
 * event, without its steps.
 *
 * @param isKept whether the server still has this event
 * @throws an error naming the file, when it cannot be read
 */
export function openRunLog(file: string | undefined, isKept: (event: ReceivedEvent) => boolean): RunLog {
  const { written, journal } =
    file === undefined ? { written: [], journal: null } : openJournal<Change>(file);
  const apps = new Map<string, RegisteredFunction[]>();
  const runs = new Map<string, Run>();
  let functions = new Map<string, RegisteredFunction>();

  for (const change of written) apply(change);

  function apply(change: Change): void {
    if ('app' in change) {
      apps.set(change.app, change.functions);
      functions = new Map([...apps.values()].flat().map(fn => [fn.id, fn]));
      return;
    }
    if ('run' in change) {
      runs.set(change.run.id, change.run);
      return;
    }
    const run = runs.get(change.id);
    if (!run) return;
    if ('step' in change) {
      run.steps[change.step] = change.state;
      run.stack.push(change.step);
    } else {
      Object.assign(run, change.set);
      if (hasEnded(run)) Object.assign(run, { steps: {}, stack: [] });
    }
  }

  function* current(): Generator<Change> {
    for (const [app, registered] of apps) yield { app, functions: registered };
    for (const run of runs.values()) yield { run };
  }

  function record(change: Change): void {
    apply(change);
    journal?.append([change]);
    if (journal === null || journal.lines() < 3 * runs.size + 1_000) return;
    for (const run of runs.values()) if (hasEnded(run) && !isKept(run.event)) runs.delete(run.id);
    journal.rewrite(current());
  }

  return {
    functions: () => functions,
    runs: () => runs,
    register: (app, registered) => record({ app, functions: registered }),
    add: run => record({ run }),
    addStep: (run, step, state) => record({ id: run.id, step, state }),
    change: (run, set) => record({ id: run.id, set }),
    close: () => journal?.close(),
  };
}
