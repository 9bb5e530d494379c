import { InputError } from './inputError.ts';

/** Which part of a list is asked for. */
export type Page = {
  /** Items at the most. */
  first: number;
  /** The id of the item behind which the page begins; null for the beginning of the list. */
  after: string | null;
};

const usual = 50;

/** @throws InputError for a page of no items, or of more than `most` */
export function readPage(
  { first, after }: { first?: number | null | undefined; after?: string | null | undefined },
  most: number,
): Page {
  const page = { first: first ?? Math.min(usual, most), after: after ?? null };
  if (page.first < 1 || page.first > most) throw new InputError(`first must be from 1 to ${most}`);
  return page;
}
