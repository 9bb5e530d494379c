import { createReadStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { readExamples } from './examples.ts';

/** Scripts and styles from here alone, none of them in the page, and nothing but `/graphql` to talk to. */
const contentSecurityPolicy = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'", 'data:'],
    fontSrc: ["'self'", 'data:'],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
};

const script = 'text/javascript; charset=utf-8';
const style = 'text/css; charset=utf-8';

/**
 * The files of the editor. GraphiQL's package brings a bundle with all that it needs but React; the packages that it
 * names as dependencies are for those who bundle it themselves, and package.json puts an empty one in their places.
 */
const files: Record<string, { path: string; type: string }> = {
  '': { path: here('page.html'), type: 'text/html; charset=utf-8' },
  '/start.js': { path: here('browser/start.js'), type: script },
  '/start.css': { path: here('browser/start.css'), type: style },
  '/graphiql.js': { path: inPackage('graphiql', 'graphiql.min.js'), type: script },
  '/graphiql.css': { path: inPackage('graphiql', 'graphiql.min.css'), type: style },
  '/react.js': { path: inPackage('react', 'umd/react.production.min.js'), type: script },
  '/react-dom.js': { path: inPackage('react-dom', 'umd/react-dom.production.min.js'), type: script },
};

/** Serves GraphiQL at `/graphiql`, whole: it loads nothing from elsewhere. */
export async function serveEditor(server: FastifyInstance): Promise<void> {
  const options = { helmet: { contentSecurityPolicy } };
  const examples = await readExamples();
  // Its addresses are relative, and would be looked for one level too deep.
  server.get('/graphiql/', options, (_request, reply) => reply.redirect('../graphiql'));
  server.get('/graphiql/examples.json', options, () => examples);
  for (const [name, { path, type }] of Object.entries(files)) {
    server.get(`/graphiql${name}`, options, (_request, reply) => {
      reply.type(type).header('cache-control', 'no-cache');
      return reply.send(createReadStream(path));
    });
  }
}

function here(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

/** By the manifest, which every package lets others find; the bundles they do not. */
function inPackage(name: string, file: string): string {
  return join(dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`))), file);
}
