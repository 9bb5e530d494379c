/** What a client gave cannot be meant. The message is for the client, and says what would do. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** TIDAL's ids are numbers, today of up to nine digits. */
export function isTidalId(tidalId: string): boolean {
  return /^\d{1,20}$/.test(tidalId);
}

/** @throws InputError for what can be no id of TIDAL's */
export function checkTidalId(argument: string, tidalId: string): void {
  if (!isTidalId(tidalId)) {
    throw new InputError(
      `${argument} must be 1 to 20 digits, as in the address tidal.com/track/77646168; give an id beyond 2^53 as text`,
    );
  }
}

/** @throws InputError for more ids than one addition may have */
export function checkBulk(argument: string, ids: string[], most: number): void {
  if (ids.length > most) throw new InputError(`${argument} must have ${most} ids at the most`);
}
