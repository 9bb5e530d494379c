import { BlockList } from 'node:net';
import { databaseUrl } from '@segue/database/variables.ts';
import { ConfigurationError, commaSeparated, httpUrls, secret } from '@segue/process/environment.ts';
import { z } from 'zod';

const shortestToken = 16;

const token = secret
  .min(shortestToken, `must have ${shortestToken} characters or more: openssl rand -base64 24`)
  .optional();

/** Variables that say who may see the console and act. */
export const consoleVariables = {
  CONSOLE_TOKEN: token,
  CONSOLE_READ_TOKEN: token,
  CONSOLE_USER_HEADER: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,60}$/, 'must be the name of a header, such as X-Forwarded-User')
    .transform(name => name.toLowerCase())
    .optional(),
  CONSOLE_TRUSTED_PROXIES: z
    .string()
    .transform((text, context) => {
      try {
        return addressesOf(commaSeparated(text));
      } catch {
        context.addIssue('must be addresses or networks, comma-separated: 10.0.0.7, 10.1.0.0/16, fd00::/8');
        return z.NEVER;
      }
    })
    .optional(),
  CONSOLE_ACTING_USERS: z.string().transform(commaSeparated).optional(),
  CONSOLE_WORKERS: httpUrls.optional(),
  CONSOLE_DATABASE_URL: databaseUrl.optional(),
};

/** How the console knows its visitors. */
export type AccessSettings = {
  /** Sees and acts. */
  token: string | undefined;
  /** Sees. */
  readToken: string | undefined;
  /** In which a trusted proxy names the user, in lower case. */
  userHeader: string | undefined;
  trustedProxies: BlockList;
  /** Users of the proxy who may act; `*` for all. */
  actingUsers: string[];
  /** Whether the relay listens for this machine alone. */
  onLoopback: boolean;
};

type Given = {
  RELAY_HOST: string;
  CONSOLE_TOKEN?: string | undefined;
  CONSOLE_READ_TOKEN?: string | undefined;
  CONSOLE_USER_HEADER?: string | undefined;
  CONSOLE_TRUSTED_PROXIES?: BlockList | undefined;
  CONSOLE_ACTING_USERS?: string[] | undefined;
};

/** @throws ConfigurationError where two variables do not fit together */
export function accessSettings(given: Given): AccessSettings {
  const { CONSOLE_TOKEN: token, CONSOLE_READ_TOKEN: readToken, CONSOLE_USER_HEADER: userHeader } = given;
  if (userHeader !== undefined && given.CONSOLE_TRUSTED_PROXIES === undefined) {
    throw new ConfigurationError(
      'CONSOLE_USER_HEADER is believed from CONSOLE_TRUSTED_PROXIES alone, which is not set: anybody can send a header',
    );
  }
  if (given.CONSOLE_ACTING_USERS !== undefined && userHeader === undefined) {
    throw new ConfigurationError('CONSOLE_ACTING_USERS names users of CONSOLE_USER_HEADER, which is not set');
  }
  if (token !== undefined && token === readToken) {
    throw new ConfigurationError('CONSOLE_READ_TOKEN is the same as CONSOLE_TOKEN: whoever reads could act');
  }
  return {
    token,
    readToken,
    userHeader,
    trustedProxies: given.CONSOLE_TRUSTED_PROXIES ?? new BlockList(),
    actingUsers: given.CONSOLE_ACTING_USERS ?? [],
    onLoopback: isLoopback(given.RELAY_HOST),
  };
}

/** Whether a name or address leads to this machine alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** @throws Error for what is neither an address nor a network */
function addressesOf(entries: string[]): BlockList {
  const addresses = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix, ...rest] = entry.split('/');
    const family = address.includes(':') ? 'ipv6' : 'ipv4';
    if (rest.length > 0 || (prefix !== undefined && !/^\d{1,3}$/.test(prefix))) throw new Error(entry);
    if (prefix === undefined) addresses.addAddress(address, family);
    else addresses.addSubnet(address, Number(prefix), family);
  }
  if (addresses.rules.length === 0) throw new Error('none');
  return addresses;
}
