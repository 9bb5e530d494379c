import { slotCount } from '@segue/database/schema/slotCount.ts';
import { isAlive, readOrphanedSlots, readRelays, silentSeconds } from '@segue/outbox/operate/relays.ts';
import { type Check, failure, ok } from './check.ts';

/** Relays live, and each slot is in the hands of one of them. */
export const relays: Check = {
  name: 'relays',
  after: ['migrations'],
  timeoutMs: 3_000,
  async run({ sql }) {
    const [known, slots] = await Promise.all([readRelays(sql), readOrphanedSlots(sql)]);
    const living = known.filter(isAlive);
    if (slots.stuck > 0) {
      return failure(
        `${slots.stuck} of ${slotCount} slots are held by a relay that is gone: their requests wait`,
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
        `${slots.unowned} of ${slotCount} slots have no relay: their requests wait`,
        'look into the log of the relays, and start another (docs/runbook/README.md)',
      );
    }
    return ok(`${living.length} live and have all slots`);
  },
};
