import { isAlive, readRelays } from '@segue/outbox/operate/relays.ts';
import { version } from '@segue/process/version.ts';
import { readIndexVariables } from '../library/findIndex.ts';
import { type Check, ok, warning } from './check.ts';

/** Which versions run. Relays of several versions are the normal state of a deploy alone. */
export const versions: Check = {
  name: 'versions',
  after: ['migrations'],
  timeoutMs: 5_000,
  async run({ sql, environment, signal }) {
    const [server] = await sql<[{ version: string }]>`SELECT current_setting('server_version') AS version`;
    const known = await readRelays(sql);
    const living = known.filter(isAlive);
    const ofRelays = [...new Set(living.map(({ version }) => version))].sort();
    const others = [
      `Node ${process.versions.node}`,
      `PostgreSQL ${server.version.split(' ')[0]}`,
      ...(await qdrantVersion(environment, signal)),
    ].join(', ');
    if (ofRelays.length > 1) {
      return warning(
        `relays of ${ofRelays.join(' and ')} run together; ${others}`,
        'fine during a deploy. Otherwise restart the older ones: SELECT host, version, since FROM relays',
      );
    }
    const relays = ofRelays.length === 1 ? `relays ${ofRelays[0]}` : 'no relay';
    return ok(`this command ${version}, ${relays}, ${others}`);
  },
};

/** Its own check says when it does not answer. */
async function qdrantVersion(environment: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string[]> {
  const { url, apiKey } = readIndexVariables(environment);
  if (url === undefined) return [];
  try {
    const headers = apiKey === undefined ? {} : { 'api-key': apiKey };
    const { version } = (await (await fetch(url, { headers, signal })).json()) as { version?: unknown };
    return typeof version === 'string' ? [`Qdrant ${version}`] : [];
  } catch {
    return [];
  }
}
