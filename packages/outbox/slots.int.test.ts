import { beforeEach, describe, expect, test } from 'vitest';
import { forgetRelays } from './slots.ts';
import { TestRelay, useOutbox } from './test/outbox.ts';

const outbox = useOutbox();

let relays: TestRelay[] = [];
beforeEach(() => {
  relays = Array.from({ length: 4 }, () => new TestRelay(outbox.sql));
});

const pick = (place: number) => relays[place] as TestRelay;

/** Lets relays give and take until each has its share. */
async function settleShares(some: TestRelay[]): Promise<number[]> {
  for (let round = 0; round < 3; round++) {
    for (const relay of some) {
      const { share, owned } = await relay.beat();
      const excess = relay.slots.slice(share);
      if (owned.length > share) await relay.beat({ handBack: excess });
    }
  }
  return some.map(({ slots }) => slots.length);
}

/** As if so many ms had gone by. */
async function pass(ms: number): Promise<void> {
  await outbox.sql`UPDATE relay_slots SET lease_end = lease_end - ${ms} * interval '1 millisecond' WHERE owner IS NOT NULL`;
  await outbox.sql`UPDATE relays SET last_heartbeat = last_heartbeat - ${ms} * interval '1 millisecond'`;
}

const epochs = async () =>
  (await outbox.sql<{ epoch: number }[]>`SELECT epoch FROM relay_slots ORDER BY slot`).map(
    ({ epoch }) => epoch,
  );

describe('the share', () => {
  test('of one relay is everything', async () => {
    expect((await pick(0).beat()).owned).toHaveLength(32);
  });

  test.each([2, 3, 4])('of %i relays is equal, but for one slot at the most', async count => {
    const shares = await settleShares(relays.slice(0, count));
    expect(shares.reduce((sum, share) => sum + share, 0)).toBe(32);
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
    const owners = await outbox.sql`SELECT DISTINCT owner FROM relay_slots`;
    expect(owners).toHaveLength(count);
  });

  test('of a newcomer is free once the others have handed it back', async () => {
    await pick(0).beat();
    expect(await pick(1).beat()).toMatchObject({ owned: [], share: 16 });
    const { share } = await pick(0).beat();
    expect(await pick(0).beat({ handBack: pick(0).slots.slice(share) })).toMatchObject({ handedBack: 16 });
    expect((await pick(1).beat()).owned).toHaveLength(16);
  });

  test('of a relay that cannot send is nothing, while another can', async () => {
    await pick(0).beat({ state: 'held_back' });
    await pick(1).beat();
    expect(await pick(0).beat({ state: 'held_back' })).toMatchObject({ share: 0 });
    expect(await pick(1).beat()).toMatchObject({ share: 32 });
  });

  test('is equal when nobody can send', async () => {
    await pick(0).beat({ state: 'held_back' });
    expect(await pick(1).beat({ state: 'held_back' })).toMatchObject({ share: 16 });
    expect(await pick(0).beat({ state: 'held_back' })).toMatchObject({ share: 16 });
  });

  test('of a relay that stops is nothing, and the others count it no more', async () => {
    await pick(0).beat();
    await pick(0).beat({ state: 'stopped', handBack: pick(0).slots });
    expect(pick(0).slots).toEqual([]);
    expect(await pick(1).beat()).toMatchObject({ share: 32, owned: { length: 32 } });
  });

  test('counts no relay that a clock which was ahead has written', async () => {
    await pick(0).beat();
    await outbox.sql`UPDATE relays SET last_heartbeat = now() + interval '1 hour'`;
    expect(await pick(1).beat()).toMatchObject({ share: 32 });
  });
});

describe('a lease', () => {
  test('keeps others away until it ends, and then any relay may take the slot, with the next epoch', async () => {
    await pick(0).beat({ leaseMs: 5_000 });
    const before = await epochs();
    await pass(4_900);
    expect((await pick(1).beat({ leaseMs: 5_000 })).owned).toEqual([]);
    await pass(200);
    expect((await pick(1).beat({ leaseMs: 5_000 })).owned).toHaveLength(32);
    expect(await epochs()).toEqual(before.map(epoch => epoch + 1));
    expect((await pick(0).beat({ leaseMs: 5_000 })).owned).toEqual([]);
  });

  test('is renewed in the same epoch, also when it has ended and nobody has taken the slot', async () => {
    await pick(0).beat({ leaseMs: 5_000 });
    const before = await epochs();
    await pick(0).beat({ leaseMs: 5_000 });
    await pass(60_000);
    expect((await pick(0).beat({ leaseMs: 5_000 })).owned).toHaveLength(32);
    expect(await epochs()).toEqual(before);
  });

  test('that a clock which was ahead has written, or somebody by hand, keeps nobody away', async () => {
    await pick(0).beat({ leaseMs: 5_000 });
    await outbox.sql`UPDATE relays SET last_heartbeat = now() - interval '1 minute'`;
    await outbox.sql`UPDATE relay_slots SET lease_end = now() + interval '1 hour' WHERE slot < 16`;
    await outbox.sql`UPDATE relay_slots SET lease_end = 'infinity' WHERE slot >= 16`;
    expect((await pick(1).beat({ leaseMs: 5_000 })).owned).toHaveLength(32);
  });

  test('of a relay that is gone tells the others when it ends', async () => {
    await pick(0).beat({ leaseMs: 5_000 });
    await outbox.sql`UPDATE relays SET last_heartbeat = now() - interval '6 seconds'`;
    const { nextEndMs } = await pick(1).beat({ leaseMs: 5_000 });
    expect(nextEndMs).toBeGreaterThan(0);
    expect(nextEndMs).toBeLessThanOrEqual(5_000);
    // A relay that is there renews its own.
    await pick(0).beat({ leaseMs: 5_000 });
    expect((await pick(1).beat({ leaseMs: 5_000 })).nextEndMs).toBe(null);
  });
});

test('slots that another transaction is taking are left alone', async () => {
  await outbox.during(
    transaction => pick(0).on(transaction).beat(),
    async () => {
      expect((await pick(1).beat()).owned).toEqual([]);
    },
  );
  expect((await pick(1).beat()).owned).toHaveLength(32);
});

test('two relays that beat at the same moment never own the same slot', async () => {
  for (let round = 0; round < 5; round++) {
    await Promise.all(relays.map(relay => relay.beat()));
    const owned = relays.flatMap(({ slots }) => slots);
    expect(new Set(owned).size).toBe(owned.length);
    await pass(120_000);
  }
});

test('relays that are long gone are forgotten, and not those that still own a slot', async () => {
  await pick(0).beat();
  await pick(1).beat();
  await outbox.sql`UPDATE relays SET last_heartbeat = now() - interval '2 days'`;
  await forgetRelays(outbox.sql, { olderThanMs: 24 * 3_600_000 });
  expect(await outbox.sql`SELECT id FROM relays`).toEqual([{ id: pick(0).id }]);
});
