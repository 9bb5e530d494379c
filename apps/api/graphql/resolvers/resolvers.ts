import type { Limits } from '../../http/limits.ts';
import type { Library } from '../../library/library.ts';
import { items } from './items.ts';
import { mutations } from './mutations.ts';
import { queries } from './queries.ts';
import { scalars } from './scalars.ts';

/** The fields of the schema that are more than a property of what was read. */
export function createResolvers(library: Library, limits: Limits) {
  return {
    Query: queries(library, limits),
    Mutation: mutations(library, limits),
    ...items,
    ...scalars,
  };
}
