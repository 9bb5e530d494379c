/**
 * Whether INNGEST_DEV asks for a Dev Server, which takes any key and signs nothing. As the SDK reads it (4.24): an
 * address or anything true does.
 *
 * @param value of INNGEST_DEV, as `readEnvironment` gives it
 */
export function isDevMode(value: string | undefined): boolean {
  return value !== undefined && !['0', 'false', 'no', 'off', ''].includes(value.toLowerCase());
}
