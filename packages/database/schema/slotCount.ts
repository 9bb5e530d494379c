/**
 * How many slots the recordings are divided into. `recording_slot()` in `drizzle/` says the same. Here by itself, since
 * the relay's image has no Drizzle, of which the schema is made.
 */
export const slotCount = 32;
