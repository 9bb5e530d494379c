import { libraryAlbums, libraryTracks } from '@segue/database/schema/tables.ts';
import type { MercuriusContext } from 'mercurius';
import type { Limits } from '../../http/limits.ts';
import { checkFilter, type LibraryFilter } from '../../library/filter.ts';
import { findItem, type LibraryTable, listItems } from '../../library/items.ts';
import type { Library } from '../../library/library.ts';
import { type ConnectionArguments, readConnectionPage, readPage } from '../../library/page.ts';
import { connection } from './connection.ts';

type PageArguments = { first?: number | null; after?: string | null };
type FilterArgument = { filter?: LibraryFilter | null };
type IdArgument = { id: string };

export function queries({ database }: Library, limits: Limits) {
  const list =
    (table: LibraryTable) =>
    async (_: unknown, given: PageArguments, { userId, listings, reading }: MercuriusContext) => {
      const page = readPage(given, limits.pageSize);
      const list = { database, table, userId, filter: {} };
      const { items } = await listings.behind(() => reading(() => listItems(list, page)));
      return items;
    };

  const item =
    (table: LibraryTable) =>
    (_: unknown, { id }: IdArgument, { userId, listings, reading }: MercuriusContext) =>
      listings.behind(() => reading(() => findItem(database, table, userId, id)));

  const connectionOf =
    (table: LibraryTable) =>
    (_: unknown, given: ConnectionArguments & FilterArgument, context: MercuriusContext) => {
      const page = readConnectionPage(given, limits.pageSize);
      const filter = given.filter ?? {};
      checkFilter(filter);
      return connection({ database, table, userId: context.userId, filter }, page, context);
    };

  return {
    getLibraryTracks: list(libraryTracks),
    getLibraryAlbums: list(libraryAlbums),
    getLibraryTrack: item(libraryTracks),
    getLibraryAlbum: item(libraryAlbums),
    libraryTracks: connectionOf(libraryTracks),
    libraryAlbums: connectionOf(libraryAlbums),
    viewer: (_: unknown, __: unknown, { library: { items, recordings } }: MercuriusContext) => ({
      library: {
        tracks: async () => (await items()).tracks,
        albums: async () => (await items()).albums,
        indexed: async () => (await recordings()).indexed,
        pending: async () => (await recordings()).pending,
        failed: async () => (await recordings()).failed,
      },
    }),
  };
}
