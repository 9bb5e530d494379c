import { sql } from 'drizzle-orm';
import { bigint, boolean, check, pgTable, primaryKey, smallint, text, uuid } from 'drizzle-orm/pg-core';
import { moment } from './tables.ts';

/**
 * Who may work on the recordings of a slot. `recording_slot(isrc)` says which slot a recording belongs to; a slot has one
 * owner at a time, so that all requests for a recording are in the hands of one relay. All moments are the database's.
 */
export const relaySlots = pgTable(
  'relay_slots',
  {
    slot: smallint('slot').notNull(),
    /** The relay that owns the slot, as in `relays`. Null: nobody. */
    owner: uuid('owner'),
    /** Rises each time that the slot is taken. Who writes for a slot names the epoch in which it took the slot. */
    epoch: bigint('epoch', { mode: 'number' }).notNull().default(0),
    /** From then on any relay may take the slot. Until somebody does, its owner may renew the lease. */
    leaseEnd: moment('lease_end').notNull().default(sql`'-infinity'`),
    /** When the owner took the slot: a trigger writes it with the epoch. Null: not since there is this column. */
    takenAt: moment('taken_at'),
  },
  table => [
    primaryKey({ name: 'relay_slots_pkey', columns: [table.slot] }),
    check('relay_slots_range', sql`${table.slot} BETWEEN 0 AND 31`),
  ],
);

/** The relays that there are or were lately, each as it said of itself with its last heartbeat. */
export const relays = pgTable(
  'relays',
  {
    /** New with each start of a relay. */
    id: uuid('id').notNull(),
    host: text('host').notNull(),
    version: text('version').notNull(),
    since: moment('since').notNull().defaultNow(),
    lastHeartbeat: moment('last_heartbeat').notNull().defaultNow(),
    /** `running` takes its share of the slots; `held_back` cannot send and leaves them to others; `stopped` is gone. */
    state: text('state', { enum: ['running', 'held_back', 'stopped'] })
      .notNull()
      .default('running'),
  },
  table => [
    primaryKey({ name: 'relays_pkey', columns: [table.id] }),
    check('relays_state_known', sql`${table.state} IN ('running', 'held_back', 'stopped')`),
  ],
);

/** One row: whether sending is paused, by whom and why. Relays read it with each heartbeat. */
export const relayControl = pgTable(
  'relay_control',
  {
    /** Always true, so that there is no second row. */
    only: boolean('only').notNull().default(true),
    /** Since when nothing is sent; null: all is sent. */
    pausedAt: moment('paused_at'),
    pausedBy: text('paused_by'),
    pausedReason: text('paused_reason'),
  },
  table => [
    primaryKey({ name: 'relay_control_pkey', columns: [table.only] }),
    check('relay_control_one_row', sql`${table.only}`),
  ],
);

/** One row: which relay compares what was sent with the index, and what became of it (rule R12). */
export const relayReconciliation = pgTable(
  'relay_reconciliation',
  {
    /** Always true, so that there is no second row. */
    only: boolean('only').primaryKey().default(true),
    /** One relay at a time compares. */
    holder: uuid('holder'),
    leaseEnd: moment('lease_end').notNull().default(sql`'-infinity'`),
    /** When recordings were sent anew, those of the last minute: `RELAY_RECONCILE_PER_MINUTE` is counted by it, over all relays. */
    recent: moment('recent').array().notNull().default([]),
    /** Since when and why nothing is sent anew; null: all is well. */
    pausedAt: moment('paused_at'),
    pausedCause: text('paused_cause'),
    pausedReason: text('paused_reason'),
  },
  table => [check('relay_reconciliation_only_check', sql`${table.only}`)],
);
