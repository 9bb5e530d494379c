import { createTemplate, dropTemplate } from '@segue/testing/globalPostgres.ts';
import { GenericContainer, Wait } from 'testcontainers';
import type { TestProject } from 'vitest/node';

/**
 * Global setup of a project named after an image, `postgres:15`: its server in a container, or the one of
 * TEST_DATABASE_URL, under the same tests that `npm test` runs on the embedded one.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await openServer(project.name);
  const template = await createTemplate(server.url);
  project.provide('testPostgres', { adminUrl: server.url, template });
  return async () => {
    await dropTemplate(server.url, template);
    await server.stop();
  };
}

async function openServer(image: string): Promise<{ url: string; stop(): Promise<unknown> }> {
  const url = process.env.TEST_DATABASE_URL;
  if (url) return { url, stop: async () => undefined };
  const container = await new GenericContainer(image)
    .withEnvironment({ POSTGRES_USER: 'segue', POSTGRES_PASSWORD: 'segue', LANG: 'C.UTF-8' })
    .withCommand([
      'postgres',
      '-c',
      'fsync=off',
      '-c',
      'max_connections=300',
      '-c',
      'max_prepared_transactions=5',
    ])
    .withExposedPorts(5432)
    // Over TCP, on which the server answers only once it is set up.
    .withHealthCheck({
      test: ['CMD', 'pg_isready', '-h', '127.0.0.1', '-U', 'segue'],
      interval: 500,
      retries: 120,
    })
    .withWaitStrategy(Wait.forHealthCheck())
    .start();
  return {
    url: `postgres://segue:segue@${container.getHost()}:${container.getMappedPort(5432)}/segue`,
    stop: () => container.stop(),
  };
}
