import { z } from 'zod';

/** The parameters of a page. */
export type PageParameters = Record<string, string>;

/**
 * What a document says of the page after it: its parameters, null after the last page, or that it names one in a way that
 * cannot be read. A document of the last kind is not whole, and tells nothing of what is missing in it.
 */
export type NextPage = PageParameters | null | 'unreadable';

const cursorHolder = z.object({ nextCursor: z.unknown().optional() }).catch({ nextCursor: null });

/** The members of a document that name the page after it; to be read by {@link readNextPage}. */
export const paging = {
  links: z
    .object({ next: z.unknown().optional(), meta: cursorHolder })
    .catch({ next: null, meta: { nextCursor: null } }),
  meta: cursorHolder,
};

/**
 * Where the next page is: an address, or as JSON:API also has it an object with one. It is not followed, only its parameters
 * are: it omits `/v2`, and one that named another host would be sent the token.
 */
const addressSchema = z
  .union([z.string(), z.object({ href: z.string() }).transform(({ href }) => href)])
  .transform(address => Object.fromEntries(new URLSearchParams(address.replace(/#.*/s, '').split('?')[1])))
  .refine(parameters => Object.keys(parameters).length > 0);

const cursorSchema = z
  .string()
  .min(1)
  .transform((cursor): PageParameters => ({ 'page[cursor]': cursor }));

const pagingSchema = z.object(paging);

export function readNextPage({ links, meta }: z.infer<typeof pagingSchema>): NextPage {
  const cursors = [links.meta.nextCursor, meta.nextCursor];
  const readings = [
    addressSchema.safeParse(links.next),
    ...cursors.map(cursor => cursorSchema.safeParse(cursor)),
  ];
  const reading = readings.find(({ success }) => success);
  if (reading?.data !== undefined) return reading.data;
  const namesNone = [links.next, ...cursors].every(named => named == null || named === '');
  return namesNone ? null : 'unreadable';
}
