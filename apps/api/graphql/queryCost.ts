// By its file, as mercurius requires it: bundlers and vitest take 'graphql' for its other copy, `index.mjs`.
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
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
  /** Items that a mutation adds or removes. */
  changes: number;
};

/** Tracks of an album, for one whose listing is not known yet. Most have a dozen. */
const usualListLength = 15;
/** Members of a page whose length is left to us. */
const usualPageLength = 50;

type Variables = Record<string, unknown>;

/**
 * What an operation of a valid document can cost. A list counts for as many members as `first` or
 * `last` asks for, its own or its connection's, or as its input has ids; fragments are looked at once and count each time. Introspection costs nothing: it is off
 * in production, and limited by GraphQL itself.
 */
export function costOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  given: Variables,
): QueryCost {
  const variables = withDefaults(operation, given);
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const fragmentCosts = new Map<string, number>();
  let changes = 0;

  /** @param page members of the lists of the connection that this is within */
  function ofFragment(name: string, page: number | undefined): number {
    const key = `${name} ${page}`;
    const known = fragmentCosts.get(key);
    if (known !== undefined) return known;
    const fragment = fragments.get(name);
    const type = schema.getType(fragment?.typeCondition.name.value ?? '');
    const cost = isCompositeType(type) ? ofSelections(type, fragment?.selectionSet, page) : 0;
    fragmentCosts.set(key, cost);
    return cost;
  }

  function ofField(parent: GraphQLCompositeType, node: FieldNode, page: number | undefined): number {
    const field = fieldOf(parent, node.name.value);
    // `__typename`, and introspection.
    if (field === undefined) return 1;
    const type = getNamedType(field.type);
    const asked = askedLength(field, node, variables) ?? page;
    const isList = isListType(getNullableType(field.type));
    const within = isCompositeType(type)
      ? ofSelections(type, node.selectionSet, isList ? undefined : asked)
      : 0;
    const length = isList ? (asked ?? usualListLength) : 1;
    if (parent === schema.getMutationType()) changes += length;
    return 1 + length * within;
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

  const root = schema.getRootType(operation.operation);
  const complexity = root ? ofSelections(root, operation.selectionSet) : 0;
  return { complexity, changes };
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
