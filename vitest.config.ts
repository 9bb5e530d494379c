import { defineConfig } from 'vitest/config';

/** Unit tests need nothing; integration and end-to-end tests share one embedded PostgreSQL server. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['{apps,packages,test}/**/*.unit.test.ts'] } },
    ],
  },
});
