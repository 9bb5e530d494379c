import { InputError } from './inputError.ts';

/** Which part of a list is asked for. Places are cursors, or ids of items. */
export type Page = {
  /** Items at the most. */
  size: number;
  /** Whether they are the last ones of the part that `after` and `before` bound, and not the first. */
  fromEnd: boolean;
  after: string | null;
  before: string | null;
};

type Given<Value> = Value | null | undefined;

const usual = 50;

/** @throws InputError for a page of no items, or of more than `most` */
export function readPage(
  { first, after }: { first?: Given<number>; after?: Given<string> },
  most: number,
): Page {
  const size = first ?? Math.min(usual, most);
  if (size < 1 || size > most) throw new InputError(`first must be from 1 to ${most}`);
  return { size, fromEnd: false, after: after ?? null, before: null };
}

export type ConnectionArguments = {
  first?: Given<number>;
  after?: Given<string>;
  last?: Given<number>;
  before?: Given<string>;
};

/** @throws InputError for a page of more than `most`, or from both ends */
export function readConnectionPage(given: ConnectionArguments, most: number): Page {
  const { first, last } = given;
  if (typeof first === 'number' && typeof last === 'number') {
    throw new InputError('first and last are both given: give the one that is meant');
  }
  const size = first ?? last ?? Math.min(usual, most);
  const fromEnd = typeof last === 'number';
  if (size < 0 || size > most)
    throw new InputError(`${fromEnd ? 'last' : 'first'} must be from 0 to ${most}`);
  return { size, fromEnd, after: given.after ?? null, before: given.before ?? null };
}
