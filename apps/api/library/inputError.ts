/** What a client gave cannot be meant. The message is for the client, and says what would do. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** @throws InputError for what can be no id of TIDAL's: those are numbers, today of up to nine digits */
export function checkTidalId(argument: string, tidalId: string): void {
  if (!/^\d{1,20}$/.test(tidalId)) {
    throw new InputError(`${argument} must be 1 to 20 digits, as in the address tidal.com/track/77646168`);
  }
}
