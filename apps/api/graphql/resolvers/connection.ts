import type { MercuriusContext } from 'mercurius';
import { cursorOf } from '../../library/cursor.ts';
import { countItems, hasItemsInFront, type LibraryTable, type List, listItems } from '../../library/items.ts';
import type { Page } from '../../library/page.ts';
import { once } from '../once.ts';
import { oneByOne } from './oneByOne.ts';

/**
 * A page of a list in the form of Relay's connections. Each part is read when it is first asked for: a page, the
 * count and the look in front of the page are a statement each, whichever fields there are.
 */
export function connection<Table extends LibraryTable>(
  list: List<Table>,
  page: Page,
  request: MercuriusContext,
) {
  const listed = once(() => request.listings.behind(() => oneByOne(request, () => listItems(list, page))));
  const inFront = once(() => oneByOne(request, () => hasItemsInFront(list, page)));
  const more = async () => (await listed()).more;
  const nodes = async () => (await listed()).items;
  const cursorAt = (place: number) => async () => {
    const item = (await nodes()).at(place);
    return item === undefined ? null : cursorOf(item);
  };
  return {
    nodes,
    edges: async () => (await nodes()).map(node => ({ node, cursor: cursorOf(node) })),
    pageInfo: {
      hasNextPage: page.fromEnd ? inFront : more,
      hasPreviousPage: page.fromEnd ? more : inFront,
      startCursor: cursorAt(0),
      endCursor: cursorAt(-1),
    },
    totalCount: once(() => oneByOne(request, () => countItems(list))),
  };
}
