import type { Queryable } from '@segue/database/connection.ts';
import type { ArrayParameter } from 'postgres';

/** The OID of `boolean[]` in PostgreSQL's catalogue. */
const booleanArray = 1000;

/** A `boolean[]` parameter. Left alone, postgres.js types an array by its first value, as a plain `boolean`. */
export function booleans(db: Queryable, values: boolean[]): ArrayParameter<boolean[]> {
  return db.array(values, booleanArray);
}
