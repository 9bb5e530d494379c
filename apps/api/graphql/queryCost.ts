// By its file, as mercurius requires it: bundlers and vitest take 'graphql' for its other copy, `index.mjs`.
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  valueFromASTUntyped,
} from 'graphql/index.js';

export type QueryCost = {
  /** Fields that the answer can have. */
  complexity: number;
  /** Items that a mutation adds or removes, by each of its fields: one, or as many as a bulk has ids. */
  changes: number[];
};

/** Tracks of an album, for one whose listing is not known yet. Most have a dozen. */
const usualListLength = 15;
/** Members of a page whose length is left to us. */
const usualPageLength = 50;
/** A status that is looked up takes the time and memory of five fields that are there already. */
const lookupCostOfMember = 4;

type Variables = Record<string, unknown>;

/**
 * What an operation of a valid document can cost. A list counts for as many members as `first` or
 * `last` asks for, its own or its connection's, or as its input has ids; fragments are looked at once and count each time. Introspection costs nothing: it is off
 * in production, and limited by GraphQL itself.
 *
 * The listing of an album counts as one of usual length. What it has is counted when it is read: see `listings.ts`.
 */
export function costOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  given: Variables,
): QueryCost {
  const fragments: Record<string, FragmentDefinitionNode> = {};
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments[definition.name.value] = definition;
  }
  const count = counter(schema, fragments, withDefaults(operation, given));
  const root = schema.getRootType(operation.operation);
  const complexity = root ? count.ofSelections(root, operation.selectionSet) : 0;
  return { complexity, changes: count.changes };
}

const costsOfMembers = new WeakMap<readonly FieldNode[], number>();

/**
 * What one member of a list costs that is being resolved, with all that is selected of it. Remembered: GraphQL resolves
 * the same list of all items with the same nodes.
 *
 * @param info of the field that is the list
 */
export function costOfMember({ fieldNodes, returnType, ...info }: GraphQLResolveInfo): number {
  const known = costsOfMembers.get(fieldNodes);
  if (known !== undefined) return known;
  const count = counter(info.schema, info.fragments, info.variableValues, lookupCostOfMember);
  const type = getNamedType(returnType);
  let cost = 1;
  for (const { selectionSet } of fieldNodes) {
    if (isCompositeType(type)) cost += count.ofSelections(type, selectionSet);
  }
  costsOfMembers.set(fieldNodes, cost);
  return cost;
}

/**
 * Counts selections of a document.
 *
 * @param lookupCost what a recording's status costs on top of a field that is there already
 */
function counter(
  schema: GraphQLSchema,
  fragments: Readonly<Record<string, FragmentDefinitionNode>>,
  variables: Variables,
  lookupCost = 0,
) {
  const fragmentCosts = new Map<string, number>();
  const changes: number[] = [];

  /** @param page members of the lists of the connection that this is within */
  function ofFragment(name: string, page: number | undefined): number {
    const key = `${name} ${page}`;
    const known = fragmentCosts.get(key);
    if (known !== undefined) return known;
    const fragment = fragments[name];
    const type = schema.getType(fragment?.typeCondition.name.value ?? '');
    const cost = isCompositeType(type) ? ofSelections(type, fragment?.selectionSet, page) : 0;
    fragmentCosts.set(key, cost);
    return cost;
  }

  function ofField(parent: GraphQLCompositeType, node: FieldNode, page: number | undefined): number {
    const field = fieldOf(parent, node.name.value);
    const own = costOfName(node) + (isLookedUp(node) ? lookupCost : 0);
    // `__typename`, and introspection.
    if (field === undefined) return own;
    const type = getNamedType(field.type);
    const asked = askedLength(field, node, variables) ?? page;
    const isList = isListType(getNullableType(field.type));
    const within = isCompositeType(type)
      ? ofSelections(type, node.selectionSet, isList ? undefined : asked)
      : 0;
    const length = isList ? (asked ?? usualListLength) : 1;
    if (parent === schema.getMutationType()) changes.push(length);
    return own + length * within;
  }

  function ofSelections(
    parent: GraphQLCompositeType,
    set: SelectionSetNode | undefined,
    page?: number,
  ): number {
    let cost = 0;
    for (const selection of set?.selections ?? []) {
      if (selection.kind === Kind.FIELD) {
        cost += ofField(parent, selection, page);
      } else if (selection.kind === Kind.FRAGMENT_SPREAD) {
        cost += ofFragment(selection.name.value, page);
      } else {
        const type = schema.getType(selection.typeCondition?.name.value ?? parent.name);
        if (isCompositeType(type)) cost += ofSelections(type, selection.selectionSet, page);
      }
    }
    return cost;
  }

  return { ofSelections, changes };
}

function isLookedUp({ name }: FieldNode): boolean {
  return name.value === 'ingestion' || name.value === 'isIndexed';
}

/** A name stands in the answer for each member of a list: one of 90,000 letters would make a gigabyte of 12,000. */
function costOfName({ alias, name }: FieldNode): number {
  return 1 + Math.floor((alias ?? name).value.length / 50);
}

function fieldOf(type: GraphQLCompositeType, name: string): GraphQLField<unknown, unknown> | undefined {
  return isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined;
}

/** How many members a field asks for, itself or for the lists within; undefined when it has no say in it. */
function askedLength(
  { args }: GraphQLField<unknown, unknown>,
  { arguments: given = [] }: FieldNode,
  variables: Variables,
): number | undefined {
  const argumentOf = (name: string) => {
    const node = given.find(argument => argument.name.value === name);
    return node && valueFromASTUntyped(node.value, variables);
  };
  const paged = args.filter(({ name }) => name === 'first' || name === 'last');
  if (paged.length > 0) {
    const numbers = paged.flatMap(({ name }) => argumentOf(name) ?? []).map(number => Number(number) || 0);
    return Math.max(1, ...(numbers.length > 0 ? numbers : [usualPageLength]));
  }
  return Object.values(argumentOf('input') ?? {}).find(Array.isArray)?.length;
}

function withDefaults({ variableDefinitions = [] }: OperationDefinitionNode, given: Variables): Variables {
  const variables = { ...given };
  for (const { variable, defaultValue } of variableDefinitions) {
    if (defaultValue) variables[variable.name.value] ??= valueFromASTUntyped(defaultValue);
  }
  return variables;
}
