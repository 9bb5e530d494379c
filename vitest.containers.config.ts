import {
  addressOf,
  findServers,
  inngest,
  postgres15,
  postgres18,
  qdrant,
} from '@segue/test/containers/servers.ts';
import { defineConfig } from 'vitest/config';

const found = await findServers(postgres15, postgres18, qdrant, inngest);

/** One project a version: what asks PostgreSQL the most, as in `npm test`, where the server is the embedded one. */
const versions = addressOf(postgres18) ? [postgres18] : [postgres15, postgres18];
const postgres = versions
  .filter(version => found.has(version))
  .map(({ image }) => ({
    extends: true as const,
    test: {
      name: image,
      include: ['{packages/database,packages/outbox,apps/api/library,apps/api/catalog}/**/*.int.test.ts'],
      globalSetup: 'test/containers/postgres.setup.ts',
    },
  }));

/** The tests that need real servers and our images: `npm run test:containers`. */
export default defineConfig({
  test: {
    pool: 'forks',
    // Hooks build images and start containers.
    hookTimeout: 900_000,
    testTimeout: 60_000,
    provide: { real: { qdrant: found.has(qdrant), inngest: found.has(inngest) } },
    projects: [
      ...postgres,
      { extends: true, test: { name: 'servers', include: ['test/contract/**/*.contract.test.ts'] } },
      { extends: true, test: { name: 'images', include: ['test/containers/**/*.e2e.test.ts'] } },
    ],
  },
});

declare module 'vitest' {
  interface ProvidedContext {
    /** Whether the real server can be had, beside the stand-in. */
    real: { qdrant: boolean; inngest: boolean };
  }
}
