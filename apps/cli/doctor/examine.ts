import { reasonOf } from '@segue/process/reason.ts';
import { endAfter, within } from '@segue/process/timeLimit.ts';
import { type Check, type CheckContext, type Finding, failure, skipped } from './check.ts';

/** A check's finding, and how long it took. */
export type Examined = Finding & { name: string; durationMs: number };

/**
 * Runs checks side by side, each once those that it stands after are through, and each within its own time. What
 * depends on a failed check is skipped.
 *
 * @returns one promise a check, in their order. None rejects
 */
export function examine(
  checks: readonly Check[],
  context: Omit<CheckContext, 'signal'>,
  interrupted: AbortSignal,
): Promise<Examined>[] {
  const examined = new Map<string, Promise<Examined>>();
  for (const check of checks) {
    const before = check.after.flatMap(name => examined.get(name) ?? []);
    examined.set(check.name, examineOne(check, before, context, interrupted));
  }
  return [...examined.values()];
}

async function examineOne(
  check: Check,
  before: Promise<Examined>[],
  context: Omit<CheckContext, 'signal'>,
  interrupted: AbortSignal,
): Promise<Examined> {
  const failed = (await Promise.all(before)).find(({ state }) => state === 'failure' || state === 'skipped');
  const start = performance.now();
  const finding = failed
    ? skipped(`needs the check ${failed.name}`)
    : await find(check, context, interrupted);
  return { name: check.name, ...finding, durationMs: Math.round(performance.now() - start) };
}

async function find(
  { timeoutMs, run }: Check,
  context: Omit<CheckContext, 'signal'>,
  interrupted: AbortSignal,
): Promise<Finding> {
  const late = () => new Error(`no answer within ${timeoutMs / 1_000} s`);
  try {
    // A check that minds no signal is left behind.
    return await endAfter(
      timeoutMs,
      signal => within(timeoutMs, run({ ...context, signal }), late),
      interrupted,
    );
  } catch (error) {
    return failure(reasonOf(error), 'look at what does not answer, and run this check again with `--only`');
  }
}
