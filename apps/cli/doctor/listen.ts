import { connect } from '@segue/database/connection.ts';
import { within } from '@segue/process/timeLimit.ts';
import { type Check, ok, warning } from './check.ts';

const withinMs = 2_000;

/** Whether a hint travels by LISTEN and NOTIFY, as an addition's does to the relays. */
export const listen: Check = {
  name: 'listen',
  after: ['database'],
  timeoutMs: 5_000,
  async run({ url, sql }) {
    const channel = `segue_doctor_${process.pid}`;
    const listener = connect({ url, applicationName: 'segue-doctor-listen', max: 1 });
    const heard = Promise.withResolvers<void>();
    const start = performance.now();
    try {
      await within(
        withinMs,
        listener.listen(channel, () => heard.resolve()),
        late,
      );
      await sql`SELECT pg_notify(${channel}, '')`;
      await within(withinMs, heard.promise, late);
      return ok(`a hint arrives in ${Math.round(performance.now() - start)} ms`);
    } catch {
      return warning(
        `no hint arrives within ${withinMs / 1_000} s: a pooler in transaction mode stands before the database`,
        'nothing is lost: relays poll each RELAY_POLL_INTERVAL_MS. For less latency give them a direct DATABASE_URL',
      );
    } finally {
      await listener.end({ timeout: 0 });
    }
  },
};

function late(): Error {
  return new Error('no hint');
}
