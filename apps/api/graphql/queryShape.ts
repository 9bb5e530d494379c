import {
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

export type QueryShape = { depth: number; aliases: number };

/**
 * How deep the fields of a document lie within one another, fragments included, and how many of them are renamed.
 * Introspection has a depth limit of its own in GraphQL.
 *
 * Looks at every selection once, whatever the fragments multiply, and needs no valid document. A fragment within
 * itself is left to validation.
 */
export function shapeOf(document: DocumentNode): QueryShape {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const depths = new Map<string, number>();
  let aliases = 0;

  function depthOfFragment(name: string): number {
    const known = depths.get(name);
    if (known !== undefined) return known;
    depths.set(name, 0);
    const depth = depthOf(fragments.get(name)?.selectionSet);
    depths.set(name, depth);
    return depth;
  }

  function depthOf(set: SelectionSetNode | undefined): number {
    let deepest = 0;
    for (const selection of set?.selections ?? []) {
      let depth: number;
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        depth = depthOfFragment(selection.name.value);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        depth = depthOf(selection.selectionSet);
      } else {
        if (selection.alias) aliases++;
        const within = depthOf(selection.selectionSet);
        depth = selection.name.value.startsWith('__') ? 1 : 1 + within;
      }
      deepest = Math.max(deepest, depth);
    }
    return deepest;
  }

  const isOperation = ({ kind }: { kind: Kind }) => kind === Kind.OPERATION_DEFINITION;
  const operations = document.definitions.filter(isOperation) as OperationDefinitionNode[];
  const ofOperations = operations.map(({ selectionSet }) => depthOf(selectionSet));
  return { depth: Math.max(0, ...ofOperations), aliases };
}
