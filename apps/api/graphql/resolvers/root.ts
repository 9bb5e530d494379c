import type { MercuriusContext } from 'mercurius';

/** Looks at the arguments, which needs nobody, before there is any work. */
type Prepare<Arguments> = (given: Arguments, context: MercuriusContext) => () => Promise<unknown>;

/** A field of a root type: its work is bounded, as the context says. */
export function root<Arguments>(prepare: Prepare<Arguments>) {
  return async (_: unknown, given: Arguments, context: MercuriusContext) => {
    const work = prepare(given, context);
    return await context.bounded(work);
  };
}
