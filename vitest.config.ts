import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const files = (kind: string) => [`{apps,bench,packages,test}/**/*.${kind}.test.ts`];
const globalSetup = 'packages/testing/globalPostgres.ts';

/** Unit and contract tests need nothing; integration and end-to-end tests share one PostgreSQL server. */
export default defineConfig({
  test: {
    pool: 'forks',
    // Vitest would leave one core to itself, and with two cores test one file at a time. Most tests wait more
    // than they compute.
    maxWorkers: Math.max(2, availableParallelism()),
    exclude: ['**/node_modules/**', 'test/containers/**'],
    projects: [
      { extends: true, test: { name: 'unit', include: files('unit'), testTimeout: 30_000 } },
      {
        extends: true,
        test: { name: 'int', include: files('int'), globalSetup, hookTimeout: 60_000, testTimeout: 30_000 },
      },
      {
        extends: true,
        test: { name: 'e2e', include: files('e2e'), globalSetup, hookTimeout: 60_000, testTimeout: 60_000 },
      },
      {
        // On the stand-ins, and on the real servers that TEST_QDRANT_URL and TEST_INNGEST_URL name.
        extends: true,
        test: {
          name: 'contract',
          include: ['test/contract/**/*.contract.test.ts'],
          hookTimeout: 60_000,
          testTimeout: 60_000,
          provide: {
            real: {
              qdrant: Boolean(process.env.TEST_QDRANT_URL),
              inngest: Boolean(process.env.TEST_INNGEST_URL),
            },
          },
        },
      },
    ],
  },
});
