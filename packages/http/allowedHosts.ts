import { BlockList, isIP } from 'node:net';
import { commaSeparated } from '@segue/process/environment.ts';
import { z } from 'zod';

const name = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i;
/** `name`, `name:port`, `[address]:port`: nothing else of an authority, such as a user, is a Host. */
const hostHeader = /^(?:\[([0-9a-f:.]+)\]|([^\s:/?#@\\[\]]+))(?::\d*)?$/i;

/** A list of hosts in a variable: names, addresses and subnets, separated by commas. */
export const allowedHosts = z
  .string()
  .default('')
  .transform(commaSeparated)
  .refine(
    entries => entries.every(isHostEntry),
    'must be names, addresses or subnets without a port, such as relay, 10.1.2.3 or 10.0.0.0/8, separated by commas',
  );

function isHostEntry(entry: string): boolean {
  if (isIP(entry) !== 0) return true;
  const { address, prefix } = subnetOf(entry);
  if (prefix === undefined) return name.test(entry) && entry.length <= 253;
  const version = isIP(address);
  return version !== 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 6 ? 128 : 32);
}

function subnetOf(entry: string): { address: string; prefix: string | undefined } {
  const [address = '', prefix, ...rest] = entry.split('/');
  return { address, prefix: rest.length > 0 ? '' : prefix };
}

/** Which hosts a server answers to: those of loopback, and the ones that are listed. */
export class AllowedHosts {
  readonly #names = new Set<string>();
  readonly #addresses = new BlockList();

  /** @param entries as `allowedHosts` reads them */
  constructor(entries: readonly string[]) {
    this.add('127.0.0.0/8');
    this.add('::1');
    for (const entry of entries) this.add(entry);
  }

  /** Adds one more. The addresses that stand for all, `0.0.0.0` and `::`, are nobody's name and add nothing. */
  add(entry: string): void {
    if (entry === '0.0.0.0' || entry === '::') return;
    const { address, prefix } = subnetOf(entry);
    if (isIP(address) === 0) this.#names.add(entry.toLowerCase());
    else if (prefix === undefined) this.#addresses.addAddress(address, familyOf(address));
    else this.#addresses.addSubnet(address, Number(prefix), familyOf(address));
  }

  /** @param host as a request has it: a name or an address, and a port or none */
  allows(host: string): boolean {
    const [, address, plain] = hostHeader.exec(host) ?? [];
    if (address !== undefined) return isIP(address) === 6 && this.#addresses.check(address, 'ipv6');
    if (plain === undefined) return false;
    if (isIP(plain) === 4) return this.#addresses.check(plain, 'ipv4');
    const asked = plain.toLowerCase().replace(/\.$/, '');
    // RFC 6761: no one can register a name below localhost.
    return asked === 'localhost' || asked.endsWith('.localhost') || this.#names.has(asked);
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
