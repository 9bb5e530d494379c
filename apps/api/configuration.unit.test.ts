import { expect, test } from 'vitest';
import { hostRuleOf, readConfiguration, tokenChecks } from './configuration.ts';

const required = {
  DATABASE_URL: 'postgres://segue@127.0.0.1/segue',
  TIDAL_CLIENT_ID: 'id',
  TIDAL_CLIENT_SECRET: 'hidden-secret',
};

test('what is not set has its default', () => {
  expect(readConfiguration(required)).toEqual({
    ...required,
    AUTH_CLOCK_TOLERANCE_SECONDS: 5,
    DATABASE_SCHEMA: 'public',
    API_HOST: '127.0.0.1',
    API_PORT: 4000,
    API_ALLOWED_HOSTS: [],
    API_ALLOWED_ORIGINS: [],
    API_BODY_LIMIT_BYTES: 102_400,
    API_CATALOG_BUDGET_MS: 8000,
    API_MAX_QUERY_TOKENS: 1_000,
    API_MAX_QUERY_DEPTH: 10,
    API_MAX_QUERY_COMPLEXITY: 50_000,
    API_MAX_QUERY_ALIASES: 30,
    API_MAX_LISTING_COMPLEXITY: 350_000,
    API_MAX_PAGE_SIZE: 200,
    API_MAX_BULK_SIZE: 100,
    API_MUTATIONS_PER_MINUTE: 600,
    API_REQUEST_TIMEOUT_MS: 40_000,
    TIDAL_API_URL: 'https://openapi.tidal.com/v2',
    TIDAL_AUTH_URL: 'https://auth.tidal.com/v1/oauth2/token',
    TIDAL_COUNTRY_CODE: 'US',
    TIDAL_REQUESTS_PER_SECOND: 4,
    LOG_LEVEL: 'info',
  });
});

test.each([
  [{ TIDAL_API_URL: 'http://127.0.0.1:1/v2' }, undefined],
  [{ TIDAL_API_URL: 'http://127.0.0.1:1/v2', TIDAL_REQUESTS_PER_SECOND: '0.5' }, 0.5],
  [{ TIDAL_REQUESTS_PER_SECOND: '20' }, 20],
])("only the public TIDAL's rate is known: %j", (given, rate) => {
  expect(readConfiguration({ ...required, ...given }).TIDAL_REQUESTS_PER_SECOND).toBe(rate);
});

test.each(Object.keys(required))('%s must be set', name => {
  expect(() => readConfiguration({ ...required, [name]: '' })).toThrow(`${name} is not set`);
});

test.each([
  ['DATABASE_URL', 'mysql://hidden-secret@host', 'must be a postgres:// address'],
  ['API_PORT', '70000', 'must be a whole number from 0 to 65535'],
  ['TIDAL_API_URL', 'openapi.tidal.com', 'must be an http:// or https:// address'],
  ['TIDAL_COUNTRY_CODE', 'usa', 'must be two capital letters'],
  ['API_ALLOWED_ORIGINS', 'https://app.example.com/path', 'must be origins'],
  ['API_ALLOWED_ORIGINS', '*', 'must be origins'],
  ['API_MAX_BULK_SIZE', '101', 'must be a whole number from 1 to 100'],
  ['API_REQUEST_TIMEOUT_MS', '0', 'must be a whole number from 1000 to 300000'],
  ['AUTH_JWT_SECRET', 'hidden-secret', 'must have at least 32 characters'],
  ['AUTH_JWKS_URL', 'issuer.example.com', 'must be an http:// or https:// address'],
  ['TIDAL_REQUESTS_PER_SECOND', '0', 'must be more than 0'],
  ['TIDAL_REQUESTS_PER_SECOND', '-4', 'must be a number such as 4 or 0.5'],
  ['LOG_LEVEL', 'loud', 'must be one of'],
])('%s cannot be %s', (name, value, problem) => {
  const read = () => readConfiguration({ ...required, [name]: value });
  expect(read).toThrow(`${name} ${problem}`);
  expect(read).not.toThrow('hidden-secret');
});

const secret = { AUTH_JWT_SECRET: 'a secret of thirty-two characters' };
const issuer = { AUTH_ISSUER: 'https://issuer.example.com', AUTH_AUDIENCE: 'segue' };
const keys = { AUTH_JWKS_URL: 'https://issuer.example.com/keys', ...issuer };

test.each(['127.0.0.1', '127.9.9.9', '::1', 'localhost'])('nobody has to say who they are on %s', host => {
  expect(tokenChecks(readConfiguration({ ...required, API_HOST: host }))).toBeNull();
});

test.each(['0.0.0.0', '::', '192.168.1.7', 'api.example.com', '127.0.0.1.example.com'])(
  'without tokens it does not listen on %s',
  API_HOST => {
    expect(() => readConfiguration({ ...required, API_HOST })).toThrow(
      `API_HOST ${API_HOST} can be reached by others`,
    );
    for (const tokens of [secret, keys]) {
      expect(readConfiguration({ ...required, ...tokens, API_HOST }).API_HOST).toBe(API_HOST);
    }
  },
);

test.each([
  [{ ...secret, ...keys }, 'AUTH_JWKS_URL and AUTH_JWT_SECRET are both set'],
  [{ ...keys, AUTH_ISSUER: '' }, 'AUTH_ISSUER is not set'],
  [{ ...keys, AUTH_AUDIENCE: '' }, 'AUTH_AUDIENCE is not set'],
  [issuer, 'no token can be checked'],
])('what leaves open how tokens are checked is refused: %#', (given, problem) => {
  expect(() => readConfiguration({ ...required, ...given })).toThrow(problem);
});

test('hosts are looked at without tokens, and with them once some are listed', () => {
  const rule = (given: object) => hostRuleOf(readConfiguration({ ...required, ...given }));
  const tokens = { AUTH_JWT_SECRET: 'hidden-secret-of-tests-with-32-characters' };
  expect(rule({})?.hosts).toEqual([]);
  expect(rule({ API_ALLOWED_HOSTS: 'segue.lan' })?.hosts).toEqual(['segue.lan']);
  expect(rule(tokens)).toBeNull();
  expect(rule({ ...tokens, API_ALLOWED_HOSTS: 'segue.lan' })?.hosts).toEqual(['segue.lan']);
});
