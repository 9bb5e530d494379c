import { readFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, type ConnectionOptions as TlsOptions } from 'node:tls';
import { parse as parseSslParameters } from 'pg-connection-string';
import { type Host, hostsInUrl, hostsOf } from './hosts.ts';
import { defaultsFromEnvironment, parameterProblem } from './parameters.ts';

/** Where a database is, and how it is spoken to: what libpq reads from a connection URI. */
export type Address = {
  /** Tried in this order. */
  hosts: Host[];
  user: string;
  password: string;
  database: string;
  tls: Tls;
  /** Whether the login must be bound to the server's certificate (`channel_binding=require`). */
  channelBinding: boolean;
  /** For each host. */
  connectTimeoutMs: number;
  /** Whether a host is taken only when it accepts writes. */
  readWrite: boolean;
  /** Sent with the start of each session. */
  startup: Record<string, string>;
  /** Seconds; 0 turns it off. */
  keepAlive: number;
};

export type Tls = {
  /** `prefer` goes without TLS where the server has none, as libpq does by default. */
  use: 'never' | 'prefer' | 'always';
  /** Whether it begins without asking (`sslnegotiation=direct`). */
  direct: boolean;
  /** Whether the server is told the name by which it was called. */
  sendName: boolean;
  options: TlsOptions;
};

/** Says what is wrong with an address, without repeating a part of it that can be a secret. */
export class AddressError extends Error {
  override name = 'AddressError';
}

const form = /^postgres(?:ql)?:\/\/(?:([^/@]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s;

/**
 * Reads a connection URI as libpq does, so that what works with psql works here: several hosts, Unix sockets, percent
 * signs, parameters, and the defaults of `PG…` variables. pg-connection-string reads what concerns TLS; it knows one
 * host only, and leaves `%2F` in the name of a database as it is.
 *
 * @throws AddressError for what libpq refuses, and for what we cannot do
 */
export function readAddress(url: string, environment: NodeJS.ProcessEnv = process.env): Address {
  const [, login, authority = '', path = '', query = ''] = form.exec(url) ?? fail(notAnAddress);
  const [user, password] = login === undefined ? [] : splitOnce(login, ':');
  const inUrl = { ...decoded({ user, password, dbname: path }), ...hostsInUrl(authority, decode) };
  // As with libpq the parameters count for more than what stands before them, and that for more than a variable.
  const parameters: Record<string, string> = {
    ...defaultsFromEnvironment(environment),
    ...inUrl,
    ...parametersOf(query),
  };
  for (const [name, value] of Object.entries(parameters)) {
    const problem = parameterProblem(name, value);
    // Behind a "/" in the password all that follows looks like parameters.
    if (problem)
      fail(
        query.includes('@')
          ? 'has a "/" and a "?" before an "@": write them as %2F and %3F in a password'
          : problem,
      );
  }
  const hosts = hostsOf(parameters, fail);
  const name = parameters.user ?? userInfo().username;
  return {
    hosts,
    user: name,
    password: parameters.password ?? '',
    database: parameters.dbname ?? name,
    tls: tlsOf(parameters),
    channelBinding: parameters.channel_binding === 'require',
    connectTimeoutMs: connectTimeoutOf(parameters, hosts.length),
    // We write. Where one of several hosts does not accept that, it is another that is meant.
    readWrite: ['read-write', 'primary'].includes(
      parameters.target_session_attrs ?? (hosts.length > 1 ? 'read-write' : 'any'),
    ),
    startup: parameters.options ? { options: parameters.options } : {},
    keepAlive: parameters.keepalives === '0' ? 0 : Number(parameters.keepalives_idle || 60),
  };
}

const notAnAddress = 'must be a postgres:// address, such as postgres://user:password@127.0.0.1:5432/segue';

function fail(problem: string): never {
  throw new AddressError(problem);
}

/** libpq takes no `+` for a space, and no percent sign without two hexadecimal digits. */
function decode(text: string): string {
  if (/%(?![0-9a-f]{2})/i.test(text))
    fail('has a "%" without two hexadecimal digits: write a "%" itself as %25');
  if (text.includes('%00')) fail('has a zero byte (%00)');
  try {
    return decodeURIComponent(text);
  } catch {
    return fail('has percent signs that are not UTF-8');
  }
}

function parametersOf(query: string): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const pair of query === '' ? [] : query.split('&')) {
    const [name, value] = splitOnce(pair, '=');
    if (value === undefined) fail('has a parameter without a value');
    // JDBC's spelling, which libpq takes as well.
    if (name === 'ssl' && value === 'true') parameters.sslmode = 'require';
    else if (value !== '') parameters[decode(name)] = decode(value);
  }
  return parameters;
}

function decoded(parts: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parts).flatMap(([name, text]) => (text ? [[name, decode(text)]] : [])),
  );
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** Seconds, as libpq counts them; by default 5 s in all, so that a request waits for no host that is gone. */
function connectTimeoutOf({ connect_timeout: seconds }: Record<string, string>, hosts: number): number {
  if (seconds === undefined || seconds === '0') return hosts > 1 ? 3_000 : 5_000;
  return Math.max(2, Number(seconds)) * 1_000;
}

function tlsOf(parameters: Record<string, string>): Tls {
  const { sslrootcert, sslnegotiation } = parameters;
  const system = sslrootcert === 'system';
  const mode = parameters.sslmode ?? (system ? 'verify-full' : 'prefer');
  if (system && mode !== 'verify-full') fail('has sslrootcert=system, which needs sslmode=verify-full');
  const direct = sslnegotiation === 'direct';
  if (direct && !/^(require|verify-)/.test(mode))
    fail('has sslnegotiation=direct, which needs sslmode=require');
  // `allow` differs in what is tried first; we try TLS first.
  const use = mode === 'disable' ? 'never' : /^(allow|prefer)$/.test(mode) ? 'prefer' : 'always';
  const options = use === 'never' ? {} : tlsOptions(mode, system, parameters);
  return { use, direct, sendName: parameters.sslsni !== '0', options };
}

function tlsOptions(mode: string, system: boolean, parameters: Record<string, string>): TlsOptions {
  const files = system ? {} : filesOf(mode, parameters);
  if (mode === 'verify-ca' && !files.sslrootcert) fail('has sslmode=verify-ca, which needs an sslrootcert');
  const read = new URLSearchParams({ sslmode: mode === 'allow' ? 'prefer' : mode, ...files });
  try {
    const { ssl } = parseSslParameters(`postgres://host/?${read}`, { useLibpqCompat: true });
    const { sslpassword, sslcrl, ssl_min_protocol_version: min, ssl_max_protocol_version: max } = parameters;
    return {
      ...(ssl as TlsOptions),
      // Node's own certificates as well: a small image has none of the system's.
      ...(system && { ca: [...getCACertificates('default'), ...getCACertificates('system')] }),
      ...(sslpassword !== undefined && { passphrase: sslpassword }),
      ...(sslcrl && { crl: readFileSync(sslcrl, 'utf8') }),
      minVersion: (min as TlsOptions['minVersion']) ?? 'TLSv1.2',
      ...(max && { maxVersion: max as TlsOptions['maxVersion'] }),
    };
  } catch (error) {
    const { code, path = 'a file' } = error as NodeJS.ErrnoException;
    return fail(`names ${path} for TLS, which cannot be read (${code})`);
  }
}

/** Of the files that libpq looks for when none is named, those that are there. */
function filesOf(mode: string, parameters: Record<string, string>): Record<string, string> {
  const files: Record<string, string> = {};
  for (const name of ['sslrootcert', 'sslcert', 'sslkey']) {
    if (parameters[name]) files[name] = parameters[name];
  }
  if (files.sslcert && !files.sslkey) fail('has an sslcert without an sslkey');
  if (!files.sslrootcert && mode.startsWith('verify-')) {
    const usual = join(homedir(), '.postgresql', 'root.crt');
    if (isReadable(usual)) files.sslrootcert = usual;
  }
  return files;
}

function isReadable(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}
