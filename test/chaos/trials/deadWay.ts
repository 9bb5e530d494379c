import { setTimeout as wait } from 'node:timers/promises';
import { fiveSeconds } from './promise.ts';
import type { Trial } from './trial.ts';

/** One relay cannot reach Inngest, and the others can: it gives its slots up. */
export const deadWay: Trial = {
  name: 'own way to Inngest is dead',
  async hold(scene) {
    const { on } = scene;
    const mended = on.cutWayToInngest(7 * on.leaseMs + 6_000);
    // The relay finds out, is patient for a lease, and hands back what it has in hand.
    await fiveSeconds(scene, 'before', { count: 20, everyMs: (3 * on.leaseMs) / 20 });
    const [held] = await on.sql<[{ slots: number }]>`
      SELECT count(*)::int AS slots FROM relay_slots AS slot JOIN relays AS relay ON relay.id = slot.owner
      WHERE relay.state = 'held_back' AND slot.lease_end > now()
        AND EXISTS (SELECT FROM relays WHERE state = 'running' AND last_heartbeat > now() - interval '1 second')`;
    const late = await fiveSeconds(scene, 'after', { count: 20, everyMs: 100 });
    await mended;
    await wait(on.leaseMs);
    return held.slots === 0 ? late : [...late, `a relay that cannot send has ${held.slots} slots`];
  },
};
