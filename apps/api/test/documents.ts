import fc from 'fast-check';
import {
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isObjectType,
  isRequiredArgument,
  parse,
  validate,
} from 'graphql/index.js';

/** A request that GraphQL finds valid: its variables may yet be none that it takes. */
export type RandomRequest = { query: string; variables: Record<string, unknown> };

/** Selections as text, and the fragments that they spread. */
type Selections = { text: string; fragments: string[] };

/** Only those that are used are declared. */
const declarations: Record<string, string> = {
  p: 'Boolean!',
  q: 'Boolean = true',
  n: 'Int',
  m: 'Int! = 2',
  id: 'ID!',
  after: 'ID',
};

/** What some clients send is wrong: numbers beyond 32 bits, texts in place of numbers, nothing at all. */
const variables = fc.record(
  {
    p: fc.oneof({ weight: 8, arbitrary: fc.boolean() }, fc.constantFrom(null, 'true', 1)),
    q: fc.boolean(),
    n: fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 1, max: 5 }) },
      fc.constantFrom(null, 0, -1, 2 ** 31, 2 ** 53, 1.5, '3', true, [2], {}),
    ),
    m: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 5 }) }, fc.constantFrom(2 ** 31, '2')),
    id: fc.constantFrom('none', '00000000-0000-4000-8000-000000000000', 7, 7.5, null, ['x'], '1\0'),
    after: fc.constantFrom(null, 'none'),
  },
  { requiredKeys: ['p', 'id'] },
);

const directive = fc.constantFrom(
  ...['', '', '', '', '', '@include(if: $p)', '@skip(if: $p)', '@include(if: $q)', '@skip(if: $q)'],
  ...['@include(if: true)', '@skip(if: false)', '@include(if: $p) @skip(if: $q)'],
);

/**
 * Random documents that are valid in a schema: fields under aliases, fragments in fragments that come several times
 * and under conditions, arguments as they stand or through variables.
 *
 * @param values literals for an argument, by its name; `input` objects included
 */
export function randomRequests(
  schema: GraphQLSchema,
  operation: 'query' | 'mutation',
  values: Record<string, readonly string[]>,
): fc.Arbitrary<RandomRequest> {
  const root = operation === 'query' ? schema.getQueryType() : schema.getMutationType();
  if (!root) throw new Error(`the schema has no ${operation}`);
  const memory = new Map<string, fc.Arbitrary<Selections>>();

  function argumentsOf(given: readonly GraphQLArgument[]): fc.Arbitrary<string> {
    const each = given.map(argument => {
      const value = fc
        .constantFrom(...(values[argument.name] ?? ['null']))
        .map(v => `${argument.name}: ${v}`);
      return isRequiredArgument(argument) ? value : fc.option(value, { nil: '' });
    });
    return fc.tuple(...each).map(parts => {
      const text = parts.filter(part => part !== '').join(', ');
      return text && `(${text})`;
    });
  }

  function field(parent: GraphQLCompositeType, depth: number): fc.Arbitrary<Selections> {
    const typename = fc.constant<Selections>({ text: '__typename', fragments: [] });
    if (!isObjectType(parent)) return typename;
    const fields = Object.values(parent.getFields()).filter(
      ({ type }) => depth > 0 || !isCompositeType(getNamedType(type)),
    );
    const each = fields.map(({ name, type, args }) => {
      const within = getNamedType(type);
      const selected = isCompositeType(within) ? selections(within, depth - 1) : fc.constant(null);
      return fc
        .tuple(fc.constantFrom('', '', '', 'a: ', 'b: '), argumentsOf(args), directive, selected)
        .map(([alias, given, condition, set]) => ({
          text: `${alias}${name}${given} ${condition} ${set === null ? '' : `{ ${set.text} }`}`,
          fragments: set?.fragments ?? [],
        }));
    });
    return fc.oneof(typename, ...each);
  }

  function selection(parent: GraphQLCompositeType, depth: number): fc.Arbitrary<Selections> {
    const plain = field(parent, depth);
    const kinds: fc.WeightedArbitrary<Selections>[] = [{ weight: 6, arbitrary: plain }];
    if (depth > 0) {
      const types = isAbstractType(parent) ? [parent, ...schema.getPossibleTypes(parent)] : [parent];
      for (const type of types) {
        const set = selections(type, depth - 1);
        const inline = fc.tuple(directive, set).map(([condition, { text, fragments }]) => ({
          text: `... on ${type.name} ${condition} { ${text} }`,
          fragments,
        }));
        const spread = fc
          .tuple(fc.nat(1_000_000), fc.array(directive, { minLength: 1, maxLength: 3 }), set)
          .map(([number, conditions, { text, fragments }]) => ({
            text: conditions.map(condition => `...F${number} ${condition}`).join(' '),
            fragments: [...fragments, `fragment F${number} on ${type.name} { ${text} }`],
          }));
        kinds.push({ weight: 1, arbitrary: inline }, { weight: 2, arbitrary: spread });
      }
    }
    return fc.oneof(...kinds);
  }

  function selections(parent: GraphQLCompositeType, depth: number): fc.Arbitrary<Selections> {
    const key = `${parent.name} ${depth}`;
    const known = memory.get(key);
    if (known) return known;
    const made = fc.array(selection(parent, depth), { minLength: 1, maxLength: 4 }).map(parts => ({
      text: parts.map(({ text }) => text).join(' '),
      fragments: parts.flatMap(({ fragments }) => fragments),
    }));
    memory.set(key, made);
    return made;
  }

  const document = selections(root, 4).map(({ text, fragments }) => {
    const whole = [`{ ${text} }`, ...fragments].join(' ');
    const used = Object.entries(declarations).filter(([name]) => new RegExp(`\\$${name}\\b`).test(whole));
    const declared = used.map(([name, type]) => `$${name}: ${type}`).join(', ');
    return `${operation} Random${declared && `(${declared})`} ${whole}`;
  });
  return fc
    .record({ query: document, variables })
    .filter(({ query }) => validate(schema, parse(query)).length === 0);
}
