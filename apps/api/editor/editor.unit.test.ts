import { readFile } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import { buildSchema, type DocumentNode, parse, print, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IngestionScheduler } from '../ingestion/ingestionScheduler.ts';
import { fakeCatalog } from '../test/catalog.ts';
import { loggerInMemory } from '../test/logger.ts';
import { serverOf } from '../test/server.ts';
import { readExamples } from './examples.ts';

const root = new URL('../../../', import.meta.url);
const read = (path: string) => readFile(new URL(path, root), 'utf8');

let server: FastifyInstance;
beforeAll(async () => {
  const { logger } = loggerInMemory();
  const scheduler = new IngestionScheduler({ hint: { give() {} }, logger });
  server = await serverOf({ database: {} as never, catalog: fakeCatalog(), scheduler, logger });
});
afterAll(async () => {
  await server.close();
});

describe('the editor', () => {
  test('allows scripts and styles of its own alone, and none in the page', async () => {
    const page = await server.inject('/graphiql');
    expect(page.headers['content-type']).toContain('text/html');
    const policy = String(page.headers['content-security-policy']).split(';').sort();
    expect(policy).toEqual([
      "base-uri 'none'",
      "connect-src 'self'",
      "default-src 'none'",
      "font-src 'self' data:",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "img-src 'self' data:",
      "script-src 'self'",
      "style-src 'self'",
    ]);
    expect(page.body).not.toMatch(/<style|style=|<script>|\son\w+=|https?:/);
  });

  test('is served whole: every file that the page names is here', async () => {
    const { body } = await server.inject('/graphiql');
    const named = [...body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address ?? '');
    const own = named.filter(address => !address.startsWith('data:'));
    expect(own).toHaveLength(6);
    for (const address of own) {
      const { statusCode, headers, rawPayload } = await server.inject(`/${address}`);
      expect(statusCode).toBe(200);
      expect(headers['content-type']).toMatch(address.endsWith('.css') ? 'text/css' : 'text/javascript');
      expect(rawPayload.length).toBeGreaterThan(20);
    }
  });

  test('is found with a slash behind it', async () => {
    const { statusCode, headers } = await server.inject('/graphiql/');
    expect([statusCode, headers.location]).toEqual([302, '../graphiql']);
  });
});

describe('the examples', () => {
  /** Without the name that a tab needs. */
  const anonymous = (text: string) =>
    parse(text).definitions.map(operation => print({ ...operation, name: undefined } as never));

  test.each(['README.md', 'docs/graphql.md'])('hold those of %s', async page => {
    const blocks = [...(await read(page)).matchAll(/```graphql\n([\s\S]*?)```/g)].map(
      ([, block]) => block ?? '',
    );
    const shown = blocks.flatMap(anonymous);
    const examples = (await readExamples()).flatMap(({ query }) => anonymous(query));
    for (const example of shown) expect(examples).toContain(example);
  });

  test('have names, and are valid', async () => {
    const schema = buildSchema(await read('apps/api/graphql/schema.graphql'));
    const examples = await readExamples();
    expect((await server.inject('/graphiql/examples.json')).json()).toEqual(examples);
    for (const { query } of examples) {
      const document: DocumentNode = parse(query);
      expect(validate(schema, document)).toEqual([]);
      expect(query).toMatch(/^(query|mutation) [A-Z]/);
    }
  });
});
