/** Statuses of a request, as `ingestion_outbox.status` has them. */
export const requestStatuses = ['pending', 'scheduled', 'skipped', 'dead'] as const;
export type RequestStatus = (typeof requestStatuses)[number];

/** Which requests are meant; what is left out does not matter. `ingestion_outbox_matches()` in the database decides. */
export type OutboxFilter = {
  status?: RequestStatus | undefined;
  /** Exactly: `duplicate`, or what refused a dead one. */
  reason?: string | undefined;
  /** A part of what refused a request, whatever its case. */
  error?: string | undefined;
  isrc?: string | undefined;
  /** A part of title, artist or album, whatever its case. */
  text?: string | undefined;
  artist?: string | undefined;
  album?: string | undefined;
  albumBatchId?: number | undefined;
  force?: boolean | undefined;
  /** Whether its next attempt lies in the future. */
  waits?: boolean | undefined;
  /** Refused so often at least. */
  attempts?: number | undefined;
  createdBefore?: Date | undefined;
  createdAfter?: Date | undefined;
};

/** The filter as the database reads it, without what is left out. */
export function filterForDatabase(filter: OutboxFilter): Record<string, string | number | boolean> {
  const { albumBatchId, createdBefore, createdAfter, ...rest } = filter;
  const all = {
    ...rest,
    album_batch_id: albumBatchId,
    created_before: createdBefore?.toISOString(),
    created_after: createdAfter?.toISOString(),
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}
