import { type ContainerRuntimeClient, getContainerRuntimeClient, ImageName } from 'testcontainers';

/** A server that the tests ask: in a container of this image, unless the variable names one that runs already. */
export type Server = { image: string; variable: string };

export const postgres15: Server = { image: 'postgres:15', variable: 'TEST_DATABASE_URL' };
export const postgres18: Server = { image: 'postgres:18', variable: 'TEST_DATABASE_URL' };
/** Those of docker-compose.yml. */
export const qdrant: Server = { image: 'qdrant/qdrant:v1.19.0-unprivileged', variable: 'TEST_QDRANT_URL' };
export const inngest: Server = { image: 'inngest/inngest:v1.44.0', variable: 'TEST_INNGEST_URL' };

/** Set, what cannot be had is skipped and said. Otherwise it fails the run: a test that never ran proves nothing. */
const skipVariable = 'TEST_SKIP_MISSING_IMAGES';

/** The address of a server that runs already. */
export function addressOf({ variable }: Server): string | undefined {
  return process.env[variable] || undefined;
}

/**
 * Finds out, before any test, which servers can be had here, and pulls the images that are not here yet.
 *
 * @throws Error naming what is missing and what to do: Docker, or images, unless {@link skipVariable} is set
 */
export async function findServers(...wanted: Server[]): Promise<Set<Server>> {
  const found = new Set(wanted.filter(addressOf));
  // Docker is asked for only by what is not running already.
  if (found.size < wanted.length) {
    const docker = await connectToDocker();
    for (const server of wanted)
      if (!found.has(server) && (await has(docker, server.image))) found.add(server);
  }
  const missing = wanted.filter(server => !found.has(server)).map(({ image }) => image);
  if (missing.length === 0) return found;
  if (!process.env[skipVariable]) {
    throw new Error(
      `These images are neither here nor can they be pulled: ${missing.join(', ')}. Name running servers in ` +
        `TEST_DATABASE_URL, TEST_QDRANT_URL and TEST_INNGEST_URL, or set ${skipVariable}=1 to go without.`,
    );
  }
  console.warn(`Skipped is what needs these images, which cannot be had here: ${missing.join(', ')}`);
  return found;
}

async function connectToDocker(): Promise<ContainerRuntimeClient> {
  try {
    return await getContainerRuntimeClient();
  } catch (cause) {
    throw new Error(
      'The container tests need Docker, and none answers here. Name running servers in TEST_DATABASE_URL, ' +
        'TEST_QDRANT_URL and TEST_INNGEST_URL, or run `npm test`, which needs no container.',
      { cause },
    );
  }
}

async function has(docker: ContainerRuntimeClient, image: string): Promise<boolean> {
  const name = ImageName.fromString(image);
  try {
    await docker.image.pull(name);
  } catch {
    return false;
  }
  return await docker.image.exists(name);
}
