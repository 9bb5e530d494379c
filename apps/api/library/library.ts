import type { libraryAlbums, libraryTracks } from '@segue/database/schema/tables.ts';
import type { Logger } from '@segue/telemetry/logger.ts';
import type { TidalClient } from '@segue/tidal/client.ts';
import type { TidalUnavailable } from '../catalog/askCatalog.ts';
import type { Database } from '../database.ts';
import type { IngestionScheduler } from '../ingestion/ingestionScheduler.ts';

export type LibraryTrack = typeof libraryTracks.$inferSelect;
export type LibraryAlbum = typeof libraryAlbums.$inferSelect;

/** What the library asks of TIDAL. */
export type Catalog = Pick<
  TidalClient,
  'getTrack' | 'getTracks' | 'getAlbum' | 'getAlbumListing' | 'continueAlbumListing' | 'batchFetchTrackIsrcs'
>;

/** What the functions of this folder work with. */
export type Library = {
  database: Database;
  catalog: Catalog;
  scheduler: IngestionScheduler;
  logger: Logger;
};

/** What came of an addition. */
export type Addition<Item> =
  | { outcome: 'added'; item: Item }
  | { outcome: 'duplicate'; existingItemId: string }
  | { outcome: 'not_found' }
  | TidalUnavailable;
