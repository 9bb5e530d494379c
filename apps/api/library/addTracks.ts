import { askCatalog } from '../catalog/askCatalog.ts';
import { addMany } from './addMany.ts';
import { storeTrack } from './addTrack.ts';
import { checkTidalId, isTidalId } from './inputError.ts';
import type { Addition, Library, LibraryTrack } from './library.ts';

/**
 * Adds tracks to a user's library, each as `addTrack` does and in a transaction of its own. TIDAL is asked for
 * them together, and the database for those that the library holds already.
 *
 * @param catalogEndsAt until when TIDAL is waited for, on `performance.now()`
 * @returns one answer an id, in their order
 * @throws what the database says when it is asked what the library holds
 */
export async function addTracks(
  library: Library,
  userId: string,
  tidalTrackIds: string[],
  catalogEndsAt = Number.POSITIVE_INFINITY,
): Promise<(Addition<LibraryTrack> | Error)[]> {
  const { catalog, logger } = library;
  // What can be no id is judged below, beside the others: PostgreSQL would refuse all of them for a NUL in one.
  const possible = [...new Set(tidalTrackIds)].filter(isTidalId);
  const held = await findTracks(library, userId, possible);
  const missing = possible.filter(id => !held.has(id));
  const asked = catalog.getTracks(missing, { deadline: catalogEndsAt });
  const calls = new Map(missing.map((id, index) => [id, asked[index]]));

  return await addMany(tidalTrackIds, async tidalTrackId => {
    checkTidalId('each of tidalTrackIds', tidalTrackId);
    const existingItemId = held.get(tidalTrackId);
    if (existingItemId !== undefined) return { outcome: 'duplicate', existingItemId };
    const answer = await askCatalog(async () => (await calls.get(tidalTrackId)) ?? null, {
      logger,
      endsAt: catalogEndsAt,
    });
    return answer.outcome === 'found' ? await storeTrack(library, userId, answer.item) : answer;
  });
}

/** The ids of a user's items by TIDAL's. */
async function findTracks(
  { database: { sql } }: Library,
  userId: string,
  tidalTrackIds: string[],
): Promise<Map<string, string>> {
  const rows = await sql<{ id: string; tidalTrackId: string }[]>`
    SELECT id, tidal_track_id AS "tidalTrackId" FROM library_tracks
    WHERE user_id = ${userId} AND tidal_track_id = ANY(${tidalTrackIds}::text[])`;
  return new Map(rows.map(row => [row.tidalTrackId, row.id]));
}
