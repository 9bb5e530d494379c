-- Where removed items stood in their lists, for a day: a client that removes items while it pages, and knows their ids
-- alone, goes on behind the last one.
CREATE TABLE "library_removals" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"artist_name" text COLLATE "und-x-icu" NOT NULL,
	"title" text COLLATE "und-x-icu" NOT NULL,
	"removed_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE INDEX "library_removals_removed" ON "library_removals" USING btree ("removed_at");
--> statement-breakpoint
-- UPDATE is for the row locks alone (FOR UPDATE SKIP LOCKED).
DO $$
DECLARE
  granted record;
BEGIN
  FOR granted IN
    SELECT * FROM (VALUES
      ('segue_api', 'SELECT, INSERT, UPDATE, DELETE'),
      ('segue_reader', 'SELECT')
    ) AS rights (role_name, privileges)
    WHERE to_regrole(role_name) IS NOT NULL
  LOOP
    EXECUTE format('GRANT %s ON TABLE library_removals TO %I', granted.privileges, granted.role_name);
  END LOOP;
END $$;
