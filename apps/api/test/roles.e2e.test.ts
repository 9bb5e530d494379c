import { startTidal, type TidalStandIn } from '@segue/stand-ins/tidal/server.ts';
import { useDatabase } from '@segue/testing/database.ts';
import { startProcess } from '@segue/testing/process.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';

// What the role may not do is tested beside the migration that makes it, in packages/database.

const database = useDatabase();
let tidal: TidalStandIn;
beforeAll(async () => {
  tidal = await startTidal();
});
afterAll(async () => {
  await tidal.close();
});

test('segue_api may do all that the API does', async () => {
  await using api = await startProcess('apps/api/main.ts', {
    DATABASE_URL: `${database.url}?options=-c%20role%3Dsegue_api`,
    API_PORT: '0',
    TIDAL_API_URL: tidal.apiUrl,
    TIDAL_AUTH_URL: tidal.authUrl,
    TIDAL_CLIENT_ID: tidal.clientId,
    TIDAL_CLIENT_SECRET: tidal.clientSecret,
  });
  const { address } = await api.waitForLog(line => line.address !== undefined);

  async function ask(query: string) {
    const response = await fetch(`${address}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    const { data, errors } = (await response.json()) as { data: Record<string, unknown>; errors?: unknown };
    expect(errors).toBeUndefined();
    return data;
  }

  const added = (await ask(`mutation {
    track: addTrackToLibrary(input: {tidalTrackId: "52986431"}) { __typename ... on LibraryTrack { id } }
    again: addTrackToLibrary(input: {tidalTrackId: "52986431"}) { __typename ... on LibraryTrack { id } }
    album: addAlbumToLibrary(input: {tidalAlbumId: "53834610"}) { __typename ... on LibraryAlbum { id } }
  }`)) as Record<'track' | 'again' | 'album', { __typename: string; id: string }>;
  expect(added).toMatchObject({
    track: { __typename: 'LibraryTrack' },
    again: { __typename: 'DuplicateLibraryItemError' },
    album: { __typename: 'LibraryAlbum' },
  });

  const { tracks, track, albums, album } = await ask(`{
    tracks: getLibraryTracks(first: 1) { id }
    track: getLibraryTrack(id: "${added.track.id}") { ingestion { status } }
    albums: getLibraryAlbums(first: 1) { id }
    album: getLibraryAlbum(id: "${added.album.id}") { trackListing { ingestion { status } } }
  }`);
  expect(tracks).toEqual([{ id: added.track.id }]);
  expect(albums).toEqual([{ id: added.album.id }]);
  expect(track).toEqual({ ingestion: { status: 'PENDING' } });
  expect(album).toMatchObject({ trackListing: Array(11).fill({ ingestion: { status: 'PENDING' } }) });

  const removed = await ask(`mutation {
    track: removeTrackFromLibrary(id: "${added.track.id}")
    album: removeAlbumFromLibrary(id: "${added.album.id}")
  }`);
  expect(removed).toEqual({ track: true, album: true });
  expect(await database.sql`SELECT FROM ingestion_outbox`).toHaveLength(12);
});
