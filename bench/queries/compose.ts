import {
  buildSchema,
  type GraphQLField,
  type GraphQLObjectType,
  getNamedType,
  isObjectType,
} from 'graphql/index.js';

/** A query of which as much can be asked for as the limits permit. */
export type Candidate = {
  name: string;
  /** @param size of its pages */
  query(size: number): string;
};

/** The default limit of aliases in a query. */
const mostAliases = 30;
/** The default limits of a page, and of ids in a bulk. */
const largestPage = 200;
const mostInBulk = 100;
/** How often each list is asked for in one query. */
const times = [1, 6, mostAliases];

/**
 * Queries of every field of the schema's root with every selection: each leaf alone, all leaves, each field that has
 * fields with each selection of its own, and everything; once, and under as many aliases as may be, at each level.
 *
 * @param ids of the user's largest album and of a track, by the field that takes them
 */
export function compose(schemaText: string, ids: Record<string, string>): Candidate[] {
  const query = buildSchema(schemaText).getQueryType() as GraphQLObjectType;
  const candidates = Object.values(query.getFields()).flatMap(field =>
    [...new Set(selectionsOf(getNamedType(field.type) as GraphQLObjectType))].flatMap(selection => {
      const once = (size: number) => `${field.name}${argumentsOf(field, size, ids)} { ${selection} }`;
      // Aliases count together at all levels.
      const often = aliasesIn(selection) > 0 ? [1] : times;
      return often.map(count => ({
        name: `${count} × ${field.name} { ${selection} }`,
        query: (size: number) => `{ ${count === 1 ? once(size) : aliased(once(size), count)} }`,
      }));
    }),
  );
  return candidates;
}

/**
 * Additions of albums and tracks with every selection of what was added: of one, of as many at once as a bulk may have, and
 * of thirty one after the other.
 *
 * @param ids of TIDAL's, all of which can be had
 */
export function composeAdditions(
  schemaText: string,
  { albums, tracks }: { albums: string[]; tracks: string[] },
): Candidate[] {
  const schema = buildSchema(schemaText);
  /** As much smaller as the pages of a query are made. */
  const part = (most: number, size: number) => Math.ceil((most * size) / largestPage);
  const textOf = (ids: string[]) => ids.map(id => `"${id}"`).join(', ');
  return [
    { noun: 'Album', ids: albums },
    { noun: 'Track', ids: tracks },
  ].flatMap(({ noun, ids }) => {
    const type = schema.getType(`Library${noun}`) as GraphQLObjectType;
    return [...new Set(selectionsOf(type))].flatMap(selection => {
      const answer = `{ __typename ... on Library${noun} { ${selection} } }`;
      const one = (id: string) => `add${noun}ToLibrary(input: {tidal${noun}Id: "${id}"}) ${answer}`;
      const bulk = {
        name: `add${noun}sToLibrary { ${selection} }`,
        query: (size: number) =>
          `mutation { add${noun}sToLibrary(input: {tidal${noun}Ids: [${textOf(ids.slice(0, part(mostInBulk, size)))}]}) ${answer} }`,
      };
      const single = {
        name: `add${noun}ToLibrary { ${selection} }`,
        query: () => `mutation { ${one(ids[0] as string)} }`,
      };
      if (aliasesIn(selection) > 0) return [single, bulk];
      const fields = (size: number) =>
        ids.slice(0, part(mostAliases, size)).map((id, n) => `a${n}: ${one(id)}`);
      const thirty = {
        name: `30 × add${noun}ToLibrary { ${selection} }`,
        query: (size: number) => `mutation { ${fields(size).join(' ')} }`,
      };
      return [single, bulk, thirty];
    });
  });
}

function argumentsOf(
  { name, args }: GraphQLField<unknown, unknown>,
  size: number,
  ids: Record<string, string>,
): string {
  if (args.some(argument => argument.name === 'first')) return `(first: ${size})`;
  return args.some(argument => argument.name === 'id') ? `(id: "${ids[name]}")` : '';
}

function selectionsOf(type: GraphQLObjectType): string[] {
  const fields = Object.values(type.getFields());
  const isComposite = (field: GraphQLField<unknown, unknown>) => isObjectType(getNamedType(field.type));
  const leaves = fields.filter(field => !isComposite(field)).map(({ name }) => name);
  const within = fields.filter(isComposite).map(field => ({
    field,
    selections: selectionsOf(getNamedType(field.type) as GraphQLObjectType),
  }));
  const whole = within.map(({ field, selections }) => `${field.name} { ${selections.at(-1)} }`);
  const each = within.flatMap(({ field, selections }) =>
    // A page as edges is the same as one of nodes: edges are tried whole.
    (field.name === 'edges' ? selections.slice(-1) : selections).map(
      selection => `${field.name} { ${selection} }`,
    ),
  );
  const renamed = [...whole, ...leaves.slice(0, 1)].map(field => aliased(field, mostAliases));
  return [...leaves, leaves.join(' '), ...each, ...renamed, [...leaves, ...whole].join(' ')].filter(Boolean);
}

/** A field under so many names. */
function aliased(field: string, count: number): string {
  return Array.from({ length: count }, (_, n) => `a${n}: ${field}`).join(' ');
}

function aliasesIn(selection: string): number {
  return selection.match(/\ba\d+: /g)?.length ?? 0;
}
