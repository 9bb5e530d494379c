import { connect } from 'node:net';
import { startTidal } from '@segue/stand-ins/tidal/server.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { startProcess } from '@segue/testing/process.ts';
import { breakable } from '@segue/testing/proxy.ts';
import { expect, test } from 'vitest';
import { sharedSecret, startIssuer, tokenOf } from './tokens.ts';

const database = useDatabase();
const tidalSecret = 'hidden-tidal-secret';

/** All that the outside sees of a process: its answers with their headers, and its output. */
test('no secret that it was given is in any answer or line, whatever goes wrong', async () => {
  await using proxy = await breakable(database.url);
  // Random: the test server makes one for each run.
  const databasePassword = decodeURIComponent(new URL(proxy.url).password);
  const tidal = await startTidal({ clientSecret: tidalSecret });
  const tidalTokens: string[] = [];
  const token = await tokenOf({ sub: 'ada' });
  const badToken = await tokenOf({ sub: 'ada' }, 'another secret of thirty-two characters');

  const api = await startProcess('apps/api/main.ts', {
    DATABASE_URL: proxy.url,
    API_PORT: '0',
    TIDAL_API_URL: tidal.apiUrl,
    TIDAL_AUTH_URL: tidal.authUrl,
    TIDAL_CLIENT_ID: tidal.clientId,
    TIDAL_CLIENT_SECRET: tidalSecret,
    AUTH_JWT_SECRET: sharedSecret,
    LOG_LEVEL: 'trace',
  });
  const address = String((await api.waitForLog(line => line.address !== undefined)).address);
  const seen: string[] = [];
  async function ask(query: string, bearer = token): Promise<void> {
    const response = await fetch(`${address}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
      body: JSON.stringify({ query }),
    });
    seen.push(JSON.stringify([...response.headers]), await response.text());
  }
  const add = (id: string) =>
    ask(`mutation { addTrackToLibrary(input: {tidalTrackId: "${id}"}) { __typename
      ... on TidalApiUnavailableError { message } ... on CatalogItemNotFoundError { message } } }`);

  await ask('{ getLibraryTracks { id } }', badToken);
  await ask('{ getLibraryTracks { id } }', 'x');
  await ask('{ getLibraryTracks { ');
  await ask('{ getLibraryTracks { nothing } }');
  await ask('{ getLibraryTracks(first: 0) { id } }');
  await add('x');
  await add('404');
  // TIDAL gives back what it was sent, as some servers do with what they refuse.
  tidal.answerWith(request => {
    const { authorization } = request.headers;
    if (authorization !== undefined) tidalTokens.push(authorization.slice('Bearer '.length));
    const body = { errors: [{ detail: `${authorization} ${request.text()}` }] };
    return authorization === undefined ? undefined : { status: 400, body };
  });
  await add('1766030');
  tidal.answerWith(request => ({ status: 401, body: { error: 'invalid_client', detail: request.text() } }));
  await add('1766031');
  tidal.answerWith(({ text }) => ({ status: 200, body: text() }));
  await add('1766032');
  await new Promise<void>(resolve => {
    const socket = connect(Number(new URL(address).port), '127.0.0.1', () =>
      socket.end(`NONSENSE ${token}\r\nauthorization: Bearer ${token}\r\n\r\n`),
    );
    socket.on('data', data => seen.push(data.toString()));
    socket.on('close', () => resolve());
  });
  await proxy.cut();
  await ask('{ getLibraryTracks { id } }');
  const readiness = await fetch(`${address}/readyz`);
  seen.push(await readiness.text());
  expect(readiness.status).toBe(503);
  await api.stop();
  await tidal.close();

  await using issuer = await startIssuer();
  await using refused = await startProcess('apps/api/main.ts', {
    DATABASE_URL: proxy.url,
    TIDAL_CLIENT_ID: 'id',
    TIDAL_CLIENT_SECRET: tidalSecret,
    AUTH_JWKS_URL: issuer.jwksUrl,
    AUTH_JWT_SECRET: sharedSecret,
  });
  expect(await refused.exited).toEqual({ code: 1, signal: null });

  const output = [...seen, ...api.output, ...refused.output].join('\n');
  // The provocations took effect.
  for (const sign of ['UNAUTHENTICATED', 'DATABASE_UNAVAILABLE', 'TIDAL failed', 'AUTH_JWKS_URL']) {
    expect(output).toContain(sign);
  }
  expect(tidalTokens).not.toEqual([]);
  const signature = (jwt: string) => jwt.split('.')[2] as string;
  const secrets = [
    databasePassword,
    tidalSecret,
    sharedSecret,
    signature(token),
    signature(badToken),
    ...tidalTokens,
  ];
  for (const secret of secrets) expect(output.includes(secret), secret).toBe(false);
});
