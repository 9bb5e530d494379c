import { ConfigurationError } from '@segue/process/environment.ts';
import type { Configuration } from '../configuration.ts';

export type ServiceName = 'PostgreSQL' | 'TIDAL' | 'Qdrant' | 'Inngest';

/** What the processes use, real or not. */
export type Service = {
  name: ServiceName;
  kind: 'real' | 'embedded' | 'stand-in';
  /** For people to read; without credentials. */
  address: string;
  /** What tells the processes where it is; nothing for a real one, of which they know already. */
  environment: Record<string, string>;
  /** The port that it would have, were that not taken. */
  takenPort?: number;
};

/** The address of each service that is configured, for people to read; null where a stand-in takes its place. */
export type RealServices = Record<ServiceName, string | null>;

type Variable = keyof Configuration;

/** One of these variables is enough to say that the real service is meant. */
const variables = {
  PostgreSQL: ['DATABASE_URL'],
  TIDAL: ['TIDAL_CLIENT_ID', 'TIDAL_CLIENT_SECRET', 'TIDAL_API_URL', 'TIDAL_AUTH_URL'],
  Qdrant: ['QDRANT_URL', 'QDRANT_API_KEY'],
  Inngest: ['INNGEST_BASE_URL', 'INNGEST_EVENT_API_BASE_URL', 'INNGEST_EVENT_KEY', 'INNGEST_DEV'],
} satisfies Record<ServiceName, Variable[]>;

/** Without these it cannot be asked. What Inngest needs depends on its mode, and the relay says it. */
const needed = {
  PostgreSQL: ['DATABASE_URL'],
  TIDAL: ['TIDAL_CLIENT_ID', 'TIDAL_CLIENT_SECRET'],
  Qdrant: ['QDRANT_URL'],
  Inngest: [],
} satisfies Record<ServiceName, Variable[]>;

/**
 * Says which services are configured. A service that is half configured is a mistake, and never quietly becomes
 * a stand-in.
 *
 * @throws ConfigurationError naming what is missing
 */
export function findRealServices(configuration: Configuration): RealServices {
  const isReal = (name: ServiceName): boolean => {
    const [given] = variables[name].filter(variable => configuration[variable] !== undefined);
    if (given === undefined) return false;
    const missing = needed[name].filter(variable => configuration[variable] === undefined);
    if (missing.length === 0) return true;
    throw new ConfigurationError(
      `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not set, though ${given} is. ` +
        `Set what the real ${name} needs, or nothing of it to get the stand-in`,
    );
  };
  const { DATABASE_URL, TIDAL_API_URL, QDRANT_URL } = configuration;
  return {
    PostgreSQL: isReal('PostgreSQL') ? readable(DATABASE_URL as string) : null,
    TIDAL: isReal('TIDAL') ? readable(TIDAL_API_URL ?? 'https://openapi.tidal.com/v2') : null,
    Qdrant: isReal('Qdrant') ? readable(QDRANT_URL as string) : null,
    Inngest: isReal('Inngest') ? readable(inngestAddress(configuration)) : null,
  };
}

/** In the order in which the SDK (4.24) looks for it. */
function inngestAddress(configuration: Configuration): string {
  const { INNGEST_EVENT_API_BASE_URL, INNGEST_BASE_URL, INNGEST_DEV } = configuration;
  const given = INNGEST_EVENT_API_BASE_URL ?? INNGEST_BASE_URL;
  if (given !== undefined) return given;
  if (INNGEST_DEV === undefined) return 'https://inn.gs';
  return URL.canParse(INNGEST_DEV) ? INNGEST_DEV : 'http://localhost:8288';
}

/** The address without user, password and parameters, in which there can be secrets, too. */
function readable(address: string): string {
  const { protocol, host, pathname } = new URL(address);
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
}
