import { describe, expect, test } from 'vitest';
import { readAddress } from './address.ts';

const hostsOf = (url: string) =>
  readAddress(url, {}).hosts.map(({ address, port, socketPath }) => socketPath ?? `${address}:${port}`);

test.each([
  ['postgres://db/segue', ['db:5432']],
  ['postgresql://u:p@db:6432/segue', ['db:6432']],
  ['postgres://[::1]:5433/segue', ['::1:5433']],
  ['postgres://one:1,two:2/segue', ['one:1', 'two:2']],
  ['postgres://one,two/segue?port=7', ['one:7', 'two:7']],
  ['postgres:///segue?host=one,two&port=1,2', ['one:1', 'two:2']],
  ['postgres://db/segue?hostaddr=127.0.0.1', ['127.0.0.1:5432']],
  ['postgres:///segue?host=/run/pg', ['/run/pg/.s.PGSQL.5432']],
  ['postgres://%2Frun%2Fpg:5433/segue', ['/run/pg/.s.PGSQL.5433']],
  ['postgres:///segue', ['/var/run/postgresql/.s.PGSQL.5432', '/tmp/.s.PGSQL.5432', 'localhost:5432']],
])('%s leads to %j', (url, hosts) => {
  expect(hostsOf(url)).toEqual(hosts);
});

test('percent signs are decoded, in each part once, and + is a plus', () => {
  expect(readAddress('postgres://a%40b:p%25%2F+@db/x%2Fy%20z?options=-c%20a%3Db', {})).toMatchObject({
    user: 'a@b',
    password: 'p%/+',
    database: 'x/y z',
    startup: { options: '-c a=b' },
  });
});

test('the user is the default name of the database; parameters count for more than what is before them', () => {
  expect(readAddress('postgres://ann@db', {}).database).toBe('ann');
  expect(readAddress('postgres://ann:x@db/one?user=bob&password=a+b&dbname=two', {})).toMatchObject({
    user: 'bob',
    password: 'a+b',
    database: 'two',
  });
});

test("libpq's variables stand in for what the address leaves open", () => {
  const environment = { PGUSER: 'ann', PGPASSWORD: 'p', PGSSLMODE: 'require', PGHOST: 'elsewhere' };
  expect(readAddress('postgres://db/one', environment)).toMatchObject({
    hosts: [{ address: 'db' }],
    user: 'ann',
    password: 'p',
    tls: { use: 'always' },
  });
});

describe('sslmode', () => {
  test.each([
    ['', 'prefer', false],
    ['?sslmode=disable', 'never', undefined],
    ['?sslmode=allow', 'prefer', false],
    ['?sslmode=prefer', 'prefer', false],
    ['?sslmode=require', 'always', false],
    ['?ssl=true', 'always', false],
    ['?sslmode=verify-full', 'always', undefined],
    ['?sslrootcert=system', 'always', undefined],
  ])('"%s" is TLS %s', (query, use, rejectUnauthorized) => {
    const { tls } = readAddress(`postgres://db/segue${query}`, {});
    expect([tls.use, tls.options.rejectUnauthorized]).toEqual([use, rejectUnauthorized]);
  });

  test('with a root certificate require is verify-ca, which checks no name', () => {
    const path = new URL(import.meta.url).pathname;
    for (const mode of ['require', 'verify-ca']) {
      const { options } = readAddress(`postgres://db/segue?sslmode=${mode}&sslrootcert=${path}`, {}).tls;
      expect(options.ca).toContain('a root certificate');
      expect(options.rejectUnauthorized).toBeUndefined();
      expect(options.checkServerIdentity?.('db', {} as never)).toBeUndefined();
    }
  });
});

test('channel_binding=require binds the login; what is preferred only does not', () => {
  expect(readAddress('postgres://db/x?channel_binding=require', {}).channelBinding).toBe(true);
  expect(readAddress('postgres://db/x?channel_binding=prefer', {}).channelBinding).toBe(false);
});

test('of several hosts the one is meant that accepts writes', () => {
  expect(readAddress('postgres://one,two/x', {}).readWrite).toBe(true);
  expect(readAddress('postgres://one,two/x?target_session_attrs=any', {}).readWrite).toBe(false);
  expect(readAddress('postgres://one/x?target_session_attrs=read-write', {}).readWrite).toBe(true);
  expect(readAddress('postgres://one/x', {}).readWrite).toBe(false);
});

test.each([
  ['mysql://hunter2@db', 'must be a postgres:// address'],
  ['host=db password=hunter2', 'must be a postgres:// address'],
  ['postgres://u:hunter2%@db/x', 'write a "%" itself as %25'],
  ['postgres://u:hunter2%zz@db/x', 'write a "%" itself as %25'],
  ['postgres://hunter2%4@db/x', 'write a "%" itself as %25'],
  ['postgres://u:p@hunter2%/x', 'write a "%" itself as %25'],
  ['postgres://u:p@db/hunter2%', 'write a "%" itself as %25'],
  ['postgres://db/x?password=hunter2%', 'write a "%" itself as %25'],
  ['postgres://u:hunter2%ff@db/x', 'percent signs that are not UTF-8'],
  ['postgres://u:hunter2%00@db/x', 'a zero byte'],
  ['postgres://u:p/?hunter2=hunter2@db/x', 'write them as %2F and %3F'],
  ['postgres://u:p/?sslmode=hunter2@db/x', 'write them as %2F and %3F'],
  ['postgres://db/x?sslmode=no-verify', 'sslmode=no-verify, which we cannot follow (we can: disable, allow'],
  ['postgres://db/x?sslmode=verify-ca', 'needs an sslrootcert'],
  ['postgres://db/x?sslmode=require&sslrootcert=system', 'needs sslmode=verify-full'],
  ['postgres://db/x?sslmode=verify-full&sslrootcert=/nowhere.crt', 'cannot be read (ENOENT)'],
  ['postgres://db/x?pgbouncer=true', 'the parameter "pgbouncer", which we cannot follow'],
  ['postgres://db/x?channel_binding=yes', 'channel_binding=yes'],
  ['postgres://db/x?target_session_attrs=standby', 'target_session_attrs=standby'],
  ['postgres://db:hunter2/x', 'a port that is no number from 1 to 65535'],
  ['postgres://one,two,three/x?port=1,2', '2 ports for 3 hosts'],
])('%s is refused', (url, why) => {
  const error = (() => {
    try {
      readAddress(url, {});
      return new Error('was taken');
    } catch (error) {
      return error as Error;
    }
  })();
  expect(error.message).toContain(why);
  expect(error.message).not.toContain('hunter2');
});
