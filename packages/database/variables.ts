import { wholeNumber } from '@segue/process/environment.ts';
import { z } from 'zod';
import { AddressError, readAddress } from './address/address.ts';

/** `DATABASE_URL`: a connection URI, checked as far as that goes without a connection. It stays as it is given. */
export const databaseUrl = z.string().superRefine((url, context) => {
  try {
    readAddress(url);
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
});

/** `DATABASE_SCHEMA`: where all our tables are. */
export const databaseSchema = z
  .string()
  .regex(
    /^(?!pg_|information_schema$)[A-Za-z_][A-Za-z0-9_]{0,62}$/,
    'must be the name of a schema: at most 63 letters, digits and _, and not one of PostgreSQL itself',
  )
  .default('public');

/** What `npm run migrate` reads. */
export const migrateVariables = z.object({
  DATABASE_URL: databaseUrl,
  DATABASE_SCHEMA: databaseSchema,
  MIGRATE_LOCK_TIMEOUT_MS: wholeNumber(60_000, { min: 0, max: 86_400_000 }),
});
