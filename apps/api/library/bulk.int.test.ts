import { TidalApiError } from '@segue/tidal/http/error.ts';
import { describe, expect, test } from 'vitest';
import { ask } from '../test/ask.ts';
import { catalogAlbum, catalogListing, catalogTrack, fakeCatalog } from '../test/catalog.ts';
import { newUser, useLibrary } from '../test/library.ts';
import { serverOf } from '../test/server.ts';
import { addAlbums } from './addAlbums.ts';
import { addTrack } from './addTrack.ts';
import { addTracks } from './addTracks.ts';
import { InputError } from './inputError.ts';

const here = useLibrary();
const outcomeOf = (answer: Error | { outcome: string }) =>
  answer instanceof Error ? answer.name : answer.outcome;

describe('many tracks', () => {
  test('are added each for itself, and answered in the order of their ids', async () => {
    const [held, first, second] = [catalogTrack(), catalogTrack({ isrc: null }), catalogTrack()];
    const catalog = fakeCatalog({ tracks: [held, first, second] });
    const library = here.libraryWith(catalog);
    const user = newUser();
    const before = await addTrack(library, user, held.tidalId);
    catalog.asked.length = 0;

    const ids = [held.tidalId, '404', 'x', first.tidalId, second.tidalId, first.tidalId, '404'];
    const answers = await addTracks(library, user, ids);

    expect(answers.map(outcomeOf)).toEqual([
      'duplicate',
      'not_found',
      'InputError',
      'added',
      'added',
      'duplicate',
      'not_found',
    ]);
    expect(answers[0]).toEqual({
      outcome: 'duplicate',
      existingItemId: before.outcome === 'added' && before.item.id,
    });
    const added = answers[3] as { item: { id: string; tidalTrackId: string } };
    expect(added.item.tidalTrackId).toBe(first.tidalId);
    expect(answers[5]).toEqual({ outcome: 'duplicate', existingItemId: added.item.id });
    expect(answers[2]).toBeInstanceOf(InputError);
    // What is held, or can be no id, is not asked for.
    expect(catalog.asked).toEqual(['track 404', `track ${first.tidalId}`, `track ${second.tidalId}`]);
    expect(await here.sql`SELECT FROM ingestion_outbox WHERE isrc = ${second.isrc as string}`).toHaveLength(
      1,
    );
  });

  test('TIDAL failing for one spoils no other', async () => {
    const [good, bad] = [catalogTrack(), catalogTrack()];
    const failure = new TidalApiError('hidden detail', { retryable: false, status: 200 });
    const catalog = {
      ...fakeCatalog({ tracks: [good] }),
      getTracks: (ids: string[]) =>
        ids.map(id => (id === bad.tidalId ? Promise.reject(failure) : Promise.resolve(good))),
    };
    const answers = await addTracks(here.libraryWith(catalog), newUser(), [bad.tidalId, good.tidalId]);
    expect(answers).toMatchObject([{ outcome: 'tidal_unavailable', retryable: false }, { outcome: 'added' }]);
  });

  test('TIDAL not answering in time can be asked again', async () => {
    const catalog = {
      ...fakeCatalog(),
      getTracks: (ids: string[]) => ids.map(() => new Promise<never>(() => {})),
    };
    const answers = await addTracks(here.libraryWith(catalog), newUser(), ['1', '2'], performance.now());
    expect(answers).toEqual(Array(2).fill({ outcome: 'tidal_unavailable', retryable: true }));
  });

  test('none are nothing', async () => {
    expect(await addTracks(here.libraryWith(), newUser(), [])).toEqual([]);
  });
});

test('many albums are added each for itself', async () => {
  const [one, two] = [catalogAlbum(), catalogAlbum()];
  const catalog = fakeCatalog({
    albums: [
      { album: one, listing: catalogListing({}, {}) },
      { album: two, listing: catalogListing({}), problem: 'page 2 is missing' },
    ],
  });
  const library = here.libraryWith(catalog);
  const ids = [one.tidalId, 'x', '404', two.tidalId, one.tidalId];
  const answers = await addAlbums(library, newUser(), ids);
  expect(answers.map(outcomeOf)).toEqual(['added', 'InputError', 'not_found', 'added', 'duplicate']);
  expect(library.lines.filter(({ event }) => event === 'ingestion_requested')).toHaveLength(3);
});

test('through GraphQL, what cannot be meant is null in its place, with an error beside it', async () => {
  const library = here.libraryWith();
  const server = await serverOf(library);
  // The second time the query is compiled, the third time it runs compiled.
  for (let time = 1; time <= 3; time++) {
    const [track, album] = [catalogTrack(), catalogAlbum()];
    library.catalog = fakeCatalog({ tracks: [track], albums: [{ album, listing: catalogListing({}) }] });
    const { status, data, errors } = await ask(
      server,
      `mutation ($tracks: [ID!]!, $albums: [ID!]!) {
        addTracksToLibrary(input: {tidalTrackIds: $tracks}) { __typename ... on LibraryTrack { ingestion { status } } }
        addAlbumsToLibrary(input: {tidalAlbumIds: $albums}) { __typename }
      }`,
      {
        tracks: ['x', track.tidalId, '1\0', '\ud800', 2 ** 60],
        albums: [album.tidalId, '404', '', '1\0', 2 ** 60],
      },
    );
    expect(status).toBe(200);
    expect(data).toEqual({
      addTracksToLibrary: [
        null,
        { __typename: 'LibraryTrack', ingestion: { status: 'PENDING' } },
        null,
        null,
        null,
      ],
      addAlbumsToLibrary: [
        { __typename: 'LibraryAlbum' },
        { __typename: 'CatalogItemNotFoundError' },
        null,
        null,
        null,
      ],
    });
    const refused = (field: string, place: number) => ({
      path: [field, place],
      extensions: { code: 'BAD_USER_INPUT' },
    });
    expect(errors).toMatchObject([
      ...[0, 2, 3, 4].map(place => refused('addTracksToLibrary', place)),
      ...[2, 3, 4].map(place => refused('addAlbumsToLibrary', place)),
    ]);
  }
  await server.close();
});
