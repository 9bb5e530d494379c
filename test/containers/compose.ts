import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { DockerComposeEnvironment, type StartedTestContainer } from 'testcontainers';

const root = fileURLToPath(new URL('../..', import.meta.url));

export type Composed = AsyncDisposable & {
  /** The one container of a service, or its first. */
  container(service: string): StartedTestContainer;
  /** `http://127.0.0.1:49153`, where a service's port is published. */
  url(service: string, port: number): string;
};

/**
 * Builds and starts all that the compose files say, with its own project name, volumes and ports, and waits until
 * everything is healthy. Leaving the scope removes it.
 *
 * @param files from the root of the repository
 * @param environment what the files read of it
 */
export async function composeUp(files: string[], environment: Record<string, string>): Promise<Composed> {
  const project = `segue-test-${randomBytes(4).toString('hex')}`;
  const plugin = spawnSync('docker', ['compose', 'version']).status === 0;
  const started = await new DockerComposeEnvironment(root, files)
    .withProjectName(project)
    .withEnvironment(environment)
    .withBuild()
    .withClientOptions(plugin ? {} : { executable: { standalone: true } })
    .up();
  // docker-compose 1.29 names containers otherwise, so that Testcontainers leaves the project in the name.
  const container = (service: string) =>
    started.getContainer(plugin ? `${service}-1` : `${project}_${service}_1`);
  return {
    container,
    url(service, port) {
      const published = container(service);
      return `http://${published.getHost()}:${published.getMappedPort(port)}`;
    },
    async [Symbol.asyncDispose]() {
      await started.down({ removeVolumes: true });
    },
  };
}
