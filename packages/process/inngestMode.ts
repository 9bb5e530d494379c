import { z } from 'zod';
import { hasLogin } from './environment.ts';

/** `INNGEST_DEV`: a yes, a no, or the address of a Dev Server. */
export const inngestDev = z
  .string()
  .refine(text => !hasLogin(text), 'must be an address without a user and a password, or 1');

/**
 * Whether INNGEST_DEV asks for a Dev Server, which takes any key and signs nothing. As the SDK reads it (4.24): an
 * address or anything true does.
 *
 * @param value of INNGEST_DEV, as `readEnvironment` gives it
 */
export function isDevMode(value: string | undefined): boolean {
  return value !== undefined && !['0', 'false', 'no', 'off', ''].includes(value.toLowerCase());
}
