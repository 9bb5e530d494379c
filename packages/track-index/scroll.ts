import type { Connection } from './connect.ts';
import { isMissingCollection } from './qdrantError.ts';

/** Points a call. At 36 characters an id that is 40 KB. */
const pageSize = 1_000;

/**
 * Reads the ids of all points in their order, which is that of PostgreSQL's `uuid`, page by page.
 *
 * @throws what the client throws; a collection that does not exist has no points and throws nothing
 */
export async function* scrollPointIds({
  collection,
  call,
}: Connection): AsyncGenerator<string[], void, void> {
  let offset: string | number | undefined;
  do {
    const query = {
      limit: pageSize,
      with_payload: false,
      with_vector: false,
      ...(offset !== undefined && { offset }),
    };
    const page = await call(client => client.scroll(collection, query)).catch(error => {
      if (isMissingCollection(error)) return { points: [], next_page_offset: null };
      throw error;
    });
    if (page.points.length > 0) yield page.points.map(point => String(point.id));
    offset = (page.next_page_offset as string | number | null | undefined) ?? undefined;
  } while (offset !== undefined);
}

/**
 * Counts the points, exactly.
 *
 * @throws what the client throws; a collection that does not exist has none
 */
export async function countPoints({ collection, call }: Connection): Promise<number> {
  try {
    return (await call(client => client.count(collection, { exact: true }))).count;
  } catch (error) {
    if (isMissingCollection(error)) return 0;
    throw error;
  }
}
