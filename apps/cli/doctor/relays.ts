import { readOrphanedSlots, readRelays } from '@segue/outbox/operate/relays.ts';
import { type Check, failure, ok } from './check.ts';

const silentSeconds = 30;

/** Relays live, and each slot is in the hands of one of them. */
export const relays: Check = {
  name: 'relays',
  after: ['migrations'],
  timeoutMs: 3_000,
  async run({ sql }) {
    const [known, slots] = await Promise.all([readRelays(sql), readOrphanedSlots(sql)]);
    const living = known.filter(relay => relay.state !== 'stopped' && relay.silentSeconds < silentSeconds);
    if (slots.stuck > 0) {
      return failure(
        `${slots.stuck} of 32 slots are held by a relay that is gone: their requests wait`,
        'outbox release-stuck --reason "…"',
      );
    }
    if (living.length === 0) {
      return failure(
        `no relay has given a sign of life for ${silentSeconds} s: nothing is sent`,
        'start one (`npm run relay`), or look into the log of the one that ended',
      );
    }
    if (slots.unowned > 0) {
      return failure(
        `${slots.unowned} of 32 slots have no relay: their requests wait`,
        'look into the log of the relays, and start another (docs/runbook/README.md)',
      );
    }
    return ok(`${living.length} live and have all slots`);
  },
};
