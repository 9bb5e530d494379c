import { vi } from 'vitest';

/**
 * Repeats an assertion until it holds, for what gives no signal, such as the state of a row. Where there is a
 * signal (a log line, a promise), wait for that.
 *
 * @returns what the check returns
 * @throws what the check threw last, when it does not hold within `timeoutMs`
 */
export function eventually<T>(check: () => Promise<T> | T, { timeoutMs = 20_000 } = {}): Promise<T> {
  return vi.waitFor(check, { timeout: timeoutMs, interval: 25 });
}
