import { useDatabase } from '@segue/testing/database.ts';
import { startProcess } from '@segue/testing/process.ts';
import { expect, test } from 'vitest';
import { itemsIn } from './items.ts';

const database = useDatabase();
const albums = 200;
const tracks = 75;

/** What Node takes for its heap in a container of 384 MiB. */
const heapMb = 192;
const everything = `position title duration tidalId explicit isrc isIndexed
  ingestion { status requestedAt scheduledAt reason }`;

/** @returns the answer's status and code, and how many tracks it has */
async function ask(address: string, query: string) {
  const response = await fetch(`${address}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const text = await response.text();
  return {
    status: response.status,
    code: /"code":"(\w+)"/.exec(text)?.[1],
    tracks: text.match(/"status":/g)?.length ?? 0,
  };
}

test('an API with the heap of its container refuses what would end it, and answers the largest that is permitted', {
  timeout: 120_000,
}, async () => {
  const { album } = itemsIn(database);
  for (let n = 0; n < albums; n++) {
    const isrcs = Array.from({ length: tracks }, (_, k) => `XXHEA${String(n * tracks + k).padStart(7, '0')}`);
    await album('local', { title: `Album ${n}`, isrcs });
  }
  await using api = await startProcess('apps/api/main.ts', {
    NODE_OPTIONS: `--max-semi-space-size=16 --max-old-space-size=${heapMb}`,
    DATABASE_URL: database.url,
    API_PORT: '0',
    TIDAL_CLIENT_ID: 'none',
    TIDAL_CLIENT_SECRET: 'none',
  });
  const address = String((await api.waitForLog(line => line.address !== undefined)).address);

  const page = 'getLibraryAlbums(first: 200) { trackListing { ingestion { status } } }';
  const five = Array.from({ length: 5 }, (_, n) => `a${n}: ${page}`).join(' ');
  expect(await ask(address, `{ ${five} }`)).toEqual({ status: 400, code: 'QUERY_TOO_COSTLY', tracks: 0 });

  const largest = `{ getLibraryAlbums(first: 200) { trackListing { ${everything} } } }`;
  const answers = Promise.all(Array.from({ length: 3 }, () => ask(address, largest)));
  let isMade = false;
  answers.finally(() => {
    isMade = true;
  });
  // Others are answered all the while.
  let answered = 0;
  while (!isMade) {
    expect((await fetch(`${address}/livez`)).status).toBe(200);
    answered += 1;
  }
  expect(answered).toBeGreaterThan(3);
  expect(await answers).toEqual(Array(3).fill({ status: 200, code: undefined, tracks: albums * tracks }));
});
