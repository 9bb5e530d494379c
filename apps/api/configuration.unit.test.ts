import { expect, test } from 'vitest';
import { readConfiguration } from './configuration.ts';

const required = {
  DATABASE_URL: 'postgres://segue@127.0.0.1/segue',
  TIDAL_CLIENT_ID: 'id',
  TIDAL_CLIENT_SECRET: 'hidden-secret',
};

test('what is not set has its default', () => {
  expect(readConfiguration(required)).toEqual({
    ...required,
    API_HOST: '127.0.0.1',
    API_PORT: 4000,
    TIDAL_API_URL: 'https://openapi.tidal.com/v2',
    TIDAL_AUTH_URL: 'https://auth.tidal.com/v1/oauth2/token',
    TIDAL_COUNTRY_CODE: 'US',
    LOG_LEVEL: 'info',
  });
});

test.each(Object.keys(required))('%s must be set', name => {
  expect(() => readConfiguration({ ...required, [name]: '' })).toThrow(`${name} is not set`);
});

test.each([
  ['DATABASE_URL', 'mysql://hidden-secret@host', 'must be a postgres:// address'],
  ['API_PORT', '70000', 'must be a whole number from 0 to 65535'],
  ['TIDAL_API_URL', 'openapi.tidal.com', 'must be an http:// or https:// address'],
  ['TIDAL_COUNTRY_CODE', 'usa', 'must be two capital letters'],
  ['LOG_LEVEL', 'loud', 'must be one of'],
])('%s cannot be %s', (name, value, problem) => {
  const read = () => readConfiguration({ ...required, [name]: value });
  expect(read).toThrow(`${name} ${problem}`);
  expect(read).not.toThrow('hidden-secret');
});
