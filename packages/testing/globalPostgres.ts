import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@segue/database/connection.ts';
import { migrate } from '@segue/database/migrate.ts';
import { startLocalPostgres } from '@segue/local-postgres/localPostgres.ts';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    testPostgres: {
      /** Of a user who may make databases. */
      adminUrl: string;
      /** A migrated, empty database to clone. Takes no connections. */
      template: string;
    };
  }
}

/** No test outlives a crash of the server, so nothing is made safe against one. */
const settings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '300',
  max_prepared_transactions: '5',
};

/**
 * Global setup of the projects that need PostgreSQL: a server for all of them, and a migrated template database
 * that `createTestDatabase` clones. TEST_DATABASE_URL names another server to use; its user must be allowed to
 * make databases. Everything is gone at the end, and when the run is killed, except for what is then on the
 * server of TEST_DATABASE_URL.
 */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  // Vitest sets up one project after the other, and what the whole run provides, each of them sees.
  if (project.getProvidedContext().testPostgres) return undefined;

  const server = await openServer();
  try {
    const template = await createTemplate(server.url);
    project.vitest.provide('testPostgres', { adminUrl: server.url, template });
    return async () => {
      await dropTemplate(server.url, template);
      await server.stop();
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function openServer(): Promise<{ url: string; stop(): Promise<void> }> {
  const url = process.env.TEST_DATABASE_URL;
  if (url) return { url, stop: async () => undefined };
  const dataFolder = join(tmpdir(), `segue-test-${randomBytes(6).toString('hex')}`);
  return startLocalPostgres({ dataFolder, settings, persistent: false });
}

/** Makes a migrated, empty database on a server, for `createTestDatabase` to clone. @returns its name */
export async function createTemplate(adminUrl: string): Promise<string> {
  const template = `segue_template_${randomBytes(4).toString('hex')}`;
  const admin = connect({ url: adminUrl, applicationName: 'segue-test-setup', max: 1 });
  try {
    await admin`CREATE DATABASE ${admin(template)}`;
    const url = new URL(adminUrl);
    url.pathname = template;
    await migrate(url.href);
    // PostgreSQL refuses to clone a database that somebody is connected to.
    await admin`ALTER DATABASE ${admin(template)} ALLOW_CONNECTIONS false`;
    return template;
  } finally {
    await admin.end();
  }
}

export async function dropTemplate(adminUrl: string, template: string): Promise<void> {
  const admin = connect({ url: adminUrl, applicationName: 'segue-test-setup', max: 1 });
  try {
    await admin`DROP DATABASE ${admin(template)}`;
  } finally {
    await admin.end();
  }
}
