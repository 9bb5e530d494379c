import { InvalidArgumentError } from 'commander';

const unitMs: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** As far as anybody looks back. */
const longestMs = 3_650 * 86_400_000;

/**
 * Reads `90s`, `15m`, `2h`, `7d`.
 *
 * @returns ms
 * @throws InvalidArgumentError, which commander tells as wrong usage
 */
export function readDuration(text: string): number {
  const [, figure, unit] = /^(\d{1,7})([smhd])$/.exec(text) ?? [];
  const ms = Number(figure) * (unitMs[unit as string] ?? Number.NaN);
  if (Number.isNaN(ms) || ms > longestMs) throw new InvalidArgumentError('Give it as 90s, 15m, 2h or 7d.');
  return ms;
}

/**
 * Reads a moment: `2h` for two hours ago, or `2026-11-25T03:00:00Z`.
 *
 * @param now in ms
 * @throws InvalidArgumentError
 */
export function readMoment(text: string, now = Date.now()): Date {
  if (/^\d+[smhd]$/.test(text)) return new Date(now - readDuration(text));
  const moment = new Date(text);
  // PostgreSQL has no year 0, nor one of five digits as JavaScript writes it.
  const year = moment.getUTCFullYear();
  if (!/^\d{4}-\d\d-\d\d/.test(text) || !(year >= 1 && year <= 9_999)) {
    throw new InvalidArgumentError('Give it as 2h (ago), or as 2026-11-25T03:00:00Z.');
  }
  return moment;
}

/** How long something has lasted, as people say it: `45 s`, `12 min`, `3 h`, `2 d`. */
export function sayDuration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}
