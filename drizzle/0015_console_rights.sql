-- What the console shows of TIDAL's debts, and who may read and write it; may be run again.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);
--> statement-breakpoint
CREATE OR REPLACE VIEW ingestion_catalog_pending AS
SELECT pending.kind, pending.item_id, item.user_id, pending.tidal_id, item.title, item.artist_name AS artist,
  pending.tracks_owed, pending.created_at AS owed_since, pending.attempts, pending.failing_since, pending.last_error,
  CASE WHEN pending.lease IS NULL OR pending.available_at <= now() THEN pending.available_at END AS next_attempt_at,
  CASE WHEN pending.lease IS NOT NULL AND pending.available_at > now() THEN pending.available_at END AS leased_until,
  pending.album_batch_id
FROM catalog_pending AS pending
JOIN (
  SELECT id, user_id, title, artist_name FROM library_albums
  UNION ALL SELECT id, user_id, title, artist_name FROM library_tracks
) AS item ON item.id = pending.item_id;
--> statement-breakpoint
DO $$
BEGIN
  IF to_regrole('segue_relay') IS NOT NULL THEN
    -- The view alone: the relay knows neither the library nor TIDAL. What is a week old is deleted from the figures.
    GRANT SELECT ON ingestion_catalog_pending TO segue_relay;
    GRANT DELETE ON ingestion_figures TO segue_relay;
  END IF;
END $$;
