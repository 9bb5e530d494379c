import { readFile } from 'node:fs/promises';
import { parse, print } from 'graphql';

/** A tab of the editor. Its title is the name of the operation. */
export type Example = { query: string };

/** The examples of README.md and docs/graphql.md, one a tab; a test holds them together. */
export async function readExamples(): Promise<Example[]> {
  const text = await readFile(new URL('examples.graphql', import.meta.url), 'utf8');
  return parse(text).definitions.map(operation => ({ query: print(operation) }));
}
