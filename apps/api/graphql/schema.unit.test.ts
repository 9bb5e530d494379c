import { readFile } from 'node:fs/promises';
// By its file, as mercurius requires it: vitest takes 'graphql' for its other copy, `index.mjs`.
import {
  buildClientSchema,
  buildSchema,
  findBreakingChanges,
  getIntrospectionQuery,
  isEnumType,
  isInputObjectType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  lexicographicSortSchema,
  printSchema,
} from 'graphql/index.js';
import { expect, test } from 'vitest';
import { IngestionScheduler } from '../ingestion/ingestionScheduler.ts';
import { ask } from '../test/ask.ts';
import { fakeCatalog } from '../test/catalog.ts';
import { loggerInMemory } from '../test/logger.ts';
import { serverOf } from '../test/server.ts';

const read = async (name: string) => buildSchema(await readFile(new URL(name, import.meta.url), 'utf8'));
const schema = await read('schema.graphql');

test('what is served is what the file says, descriptions included', async () => {
  const { logger } = loggerInMemory();
  const scheduler = new IngestionScheduler({ hint: { give() {} }, logger });
  const server = await serverOf({ database: {} as never, catalog: fakeCatalog(), scheduler, logger });
  const options = { schemaDescription: true, specifiedByUrl: true, inputValueDeprecation: true };
  const { data } = await ask(server, getIntrospectionQuery(options));
  await server.close();
  const sorted = (shown: typeof schema) => printSchema(lexicographicSortSchema(shown));
  expect(sorted(buildClientSchema(data))).toBe(sorted(schema));
});

test('no client of the released schema is broken', async () => {
  // A new release that breaks clients on purpose replaces the file: `cp schema.graphql released.graphql`.
  expect(findBreakingChanges(await read('released.graphql'), schema)).toEqual([]);
});

test('a change that breaks clients is noticed', async () => {
  const text = printSchema(schema);
  const changed = (line: string, to: string) => {
    expect(text).toContain(line);
    return buildSchema(text.replace(line, to));
  };
  expect(
    findBreakingChanges(schema, changed('  explicit: Boolean!\n', '  explicit: Boolean\n')),
  ).toHaveLength(1);
  expect(findBreakingChanges(schema, changed('  tidalTrackId: ID!\n}', '  trackId: ID!\n}'))).toHaveLength(2);
});

test('every type, field, argument and value is described', () => {
  const undescribed: string[] = [];
  const look = (name: string, { description }: { description?: string | null | undefined }) => {
    if (!description) undescribed.push(name);
  };
  for (const type of Object.values(schema.getTypeMap())) {
    if (isIntrospectionType(type) || isSpecifiedScalarType(type)) continue;
    if (type !== schema.getQueryType() && type !== schema.getMutationType()) look(type.name, type);
    if (isEnumType(type)) for (const value of type.getValues()) look(`${type.name}.${value.name}`, value);
    if (!isObjectType(type) && !isInputObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      look(`${type.name}.${field.name}`, field);
      if (!('args' in field)) continue;
      for (const argument of field.args) look(`${type.name}.${field.name}(${argument.name})`, argument);
    }
  }
  expect(undescribed).toEqual([]);
});
