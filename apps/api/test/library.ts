import { randomUUID } from 'node:crypto';
import { useDatabase } from '@segue/testing/database.ts';
import { afterAll, beforeAll } from 'vitest';
import { type Database, openDatabase } from '../database.ts';
import { IngestionScheduler } from '../ingestion/ingestionScheduler.ts';
import type { Library } from '../library/library.ts';
import { type FakeCatalog, fakeCatalog } from './catalog.ts';
import { type LoggedLine, loggerInMemory } from './logger.ts';

export type TestLibrary = Library & { lines: LoggedLine[]; hints: number };

/** Gives the tests of a file a database, and libraries over it that differ in what TIDAL offers. */
export function useLibrary() {
  const testDatabase = useDatabase();
  let database: Database;
  beforeAll(async () => {
    database = await openDatabase({ url: testDatabase.url });
  });
  afterAll(async () => {
    await database.sql.end({ timeout: 5 });
  });

  return {
    get database() {
      return database;
    },
    /** For what the API's own pool is not asked: it reads timestamps as text. */
    get sql() {
      return testDatabase.sql;
    },
    /** @param giveHint in place of one that only counts */
    libraryWith(catalog: FakeCatalog = fakeCatalog(), giveHint?: () => void): TestLibrary {
      const { logger, lines } = loggerInMemory();
      const hint = {
        give() {
          library.hints++;
          giveHint?.();
        },
      };
      const scheduler = new IngestionScheduler({ hint, logger });
      const library: TestLibrary = { database, catalog, scheduler, logger, lines, hints: 0 };
      return library;
    },
  };
}

/** A user whom no other test has. */
export const newUser = () => `user-${randomUUID()}`;
