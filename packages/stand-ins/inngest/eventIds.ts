import { createHash, randomBytes } from 'node:crypto';

/** Crockford's base 32, as ULIDs are written. */
const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** What the ids of one request's events are made from: a moment in ms and ten bytes. */
export type Seed = { millis: number; entropy: Buffer };

/**
 * Reads the header `x-inngest-event-id-seed`, `<ms>,<ten bytes in base64>`, with which the SDK makes the
 * ids of a repeated attempt come out the same; where it is absent or malformed, the seed is made here.
 */
export function readSeed(header: string | string[] | undefined): Seed {
  const [millis = '', entropy = '', ...rest] = String(header ?? '').split(',');
  const seed = { millis: Number(millis), entropy: Buffer.from(entropy, 'base64') };
  const usable =
    rest.length === 0 &&
    /^\d+$/.test(millis) &&
    seed.millis > 0 &&
    seed.millis < 2 ** 48 &&
    seed.entropy.length === 10;
  return usable ? seed : { millis: Date.now(), entropy: randomBytes(10) };
}

/**
 * Makes the ULIDs of a request's events: the event's place in the request, counted from 1, is added to the
 * last four bytes of the entropy, as the Dev Server does (`pkg/event/id.go`).
 */
export function eventIds({ millis, entropy }: Seed): (place: number) => string {
  const start = encode(millis, 10) + encode(entropy.readUIntBE(0, 5), 8);
  const high = entropy.readUInt8(5) * 2 ** 32;
  const low = entropy.readUInt32BE(6);
  return place => start + encode(high + ((low + place) >>> 0), 8);
}

/** The id of the run that an event started: a ULID of the same moment, the same whenever it is asked for. */
export function runIdOf(internalId: string): string {
  const entropy = createHash('sha256').update(internalId).digest();
  return internalId.slice(0, 10) + encode(entropy.readUIntBE(0, 5), 8) + encode(entropy.readUIntBE(5, 5), 8);
}

/** @param value a whole number below 2^50 */
function encode(value: number, length: number): string {
  let text = '';
  let rest = value;
  for (let place = 0; place < length; place++) {
    text = digits.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}
