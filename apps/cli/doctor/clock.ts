import { type Check, failure, ok, warning } from './check.ts';

const warnMs = 2_000;
const failMs = 30_000;

/**
 * How far this machine's clock is from the database's. Leases and windows go by the database's alone; tokens and
 * the times in logs do not.
 */
export const clock: Check = {
  name: 'clock',
  after: ['database'],
  timeoutMs: 3_000,
  async run({ sql, now }) {
    const before = now();
    const [answer] = await sql<[{ ms: number }]>`
      SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms`;
    const after = now();
    const skewMs = Math.round((before + after) / 2 - answer.ms);
    const away = Math.abs(skewMs);
    const words = `this machine is ${(away / 1_000).toFixed(1)} s ${skewMs > 0 ? 'ahead of' : 'behind'} the database`;
    const remedy = 'set both clocks by NTP (`timedatectl status`)';
    if (away >= failMs) return failure(words, remedy);
    if (away >= warnMs + (after - before) / 2) return warning(words, remedy);
    return ok(`within ${away} ms of the database's`);
  },
};
