CREATE TABLE "catalog_pending" (
	"item_id" uuid PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"tidal_id" text NOT NULL,
	"owed" jsonb,
	"tracks_owed" integer NOT NULL,
	"album_batch_id" bigint,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"available_at" timestamp with time zone DEFAULT now() NOT NULL,
	"lease" uuid,
	"attempts" integer DEFAULT 0 NOT NULL,
	"failing_since" timestamp with time zone,
	"last_error" text,
	CONSTRAINT "catalog_pending_kind_known" CHECK ("catalog_pending"."kind" IN ('album', 'track'))
);
--> statement-breakpoint
ALTER TABLE "library_albums" ADD COLUMN "tracks_owed" integer;--> statement-breakpoint
ALTER TABLE "library_tracks" ADD COLUMN "isrc_owed" boolean;--> statement-breakpoint
CREATE INDEX "catalog_pending_due" ON "catalog_pending" USING btree ("kind","available_at");--> statement-breakpoint
CREATE INDEX "library_albums_unjudged" ON "library_albums" USING btree ("id") WHERE "library_albums"."tracks_owed" IS NULL;--> statement-breakpoint
CREATE INDEX "library_tracks_unjudged" ON "library_tracks" USING btree ("id") WHERE "library_tracks"."isrc_owed" IS NULL;
--> statement-breakpoint
-- With an item goes what is owed of it, whoever deletes it; and the total of its album's batch no longer counts what never
-- comes. An item of which nothing is owed costs nothing here.
CREATE FUNCTION drop_catalog_pending() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  WITH dropped AS (
    DELETE FROM catalog_pending WHERE item_id = OLD.id RETURNING album_batch_id, tracks_owed
  )
  UPDATE album_ingestion_batches AS batch SET total_tracks = batch.total_tracks - dropped.tracks_owed
  FROM dropped WHERE batch.id = dropped.album_batch_id;
  RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE TRIGGER drop_catalog_pending AFTER DELETE ON library_albums
FOR EACH ROW WHEN (OLD.tracks_owed IS DISTINCT FROM 0) EXECUTE FUNCTION drop_catalog_pending();
--> statement-breakpoint
CREATE TRIGGER drop_catalog_pending AFTER DELETE ON library_tracks
FOR EACH ROW WHEN (OLD.isrc_owed IS DISTINCT FROM false) EXECUTE FUNCTION drop_catalog_pending();
--> statement-breakpoint
-- What TIDAL still owes, for people.
CREATE VIEW ingestion_catalog_pending AS
SELECT pending.kind, pending.item_id, item.user_id, pending.tidal_id, item.title, item.artist_name AS artist,
  pending.tracks_owed, pending.created_at AS owed_since, pending.attempts, pending.failing_since, pending.last_error,
  CASE WHEN pending.lease IS NULL OR pending.available_at <= now() THEN pending.available_at END AS next_attempt_at,
  CASE WHEN pending.lease IS NOT NULL AND pending.available_at > now() THEN pending.available_at END AS leased_until
FROM catalog_pending AS pending
JOIN (
  SELECT id, user_id, title, artist_name FROM library_albums
  UNION ALL SELECT id, user_id, title, artist_name FROM library_tracks
) AS item ON item.id = pending.item_id;
--> statement-breakpoint
DO $$
DECLARE
  granted record;
BEGIN
  FOR granted IN
    SELECT * FROM (VALUES
      ('segue_api', 'SELECT, INSERT, UPDATE, DELETE', 'TABLE catalog_pending'),
      ('segue_api', 'UPDATE (total_tracks)', 'TABLE album_ingestion_batches'),
      ('segue_api', 'SELECT', 'TABLE ingestion_catalog_pending'),
      ('segue_reader', 'SELECT', 'TABLE catalog_pending, ingestion_catalog_pending')
    ) AS rights (role_name, privileges, objects)
    WHERE to_regrole(role_name) IS NOT NULL
  LOOP
    EXECUTE format('GRANT %s ON %s TO %I', granted.privileges, granted.objects, granted.role_name);
  END LOOP;
END $$;
