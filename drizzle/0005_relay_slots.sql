-- The slot of a recording, 0 to 31: a hash of its normalised ISRC, the same on every server and version. Whoever inserts a
-- request, the database computes it.
CREATE FUNCTION recording_slot(isrc text) RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (get_byte(decode(md5(isrc), 'hex'), 0) % 32)::smallint;
--> statement-breakpoint
-- Called by a check that a row fails, so that whoever writes by hand reads what is wrong and what to do. Volatile, as
-- the planner would call it ahead of the check otherwise.
CREATE FUNCTION refuse_outbox_status(status text) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RAISE check_violation USING
    MESSAGE = CASE
      WHEN status = 'pending' THEN 'a request that is pending has not been settled: set settled_at = NULL with it'
      WHEN status IN ('scheduled', 'skipped', 'dead')
        THEN format('a request that is %s has been settled: set settled_at = now() with it', status)
      WHEN status = 'in_flight' THEN 'a request is no longer in_flight: what waits or is under way is pending'
      ELSE format('"%s" is no status of a request: use pending, scheduled, skipped or dead', left(status, 40))
    END,
    TABLE = 'ingestion_outbox', COLUMN = 'status', CONSTRAINT = 'ingestion_outbox_status_fits';
END
$$;
--> statement-breakpoint
-- What was written by hand before, and no relay has ever looked at: set back to be sent again, or cancelled.
UPDATE ingestion_outbox SET settled_at = NULL WHERE status IN ('pending', 'in_flight') AND settled_at IS NOT NULL;
--> statement-breakpoint
UPDATE ingestion_outbox SET settled_at = now() WHERE status IN ('scheduled', 'skipped', 'dead') AND settled_at IS NULL;
--> statement-breakpoint
CREATE TABLE "relay_control" (
	"only" boolean DEFAULT true NOT NULL,
	"paused_at" timestamp with time zone,
	"paused_by" text,
	"paused_reason" text,
	CONSTRAINT "relay_control_pkey" PRIMARY KEY("only"),
	CONSTRAINT "relay_control_one_row" CHECK ("relay_control"."only")
);
--> statement-breakpoint
CREATE TABLE "relay_slots" (
	"slot" smallint NOT NULL,
	"owner" uuid,
	"epoch" bigint DEFAULT 0 NOT NULL,
	"lease_end" timestamp with time zone DEFAULT '-infinity' NOT NULL,
	CONSTRAINT "relay_slots_pkey" PRIMARY KEY("slot"),
	CONSTRAINT "relay_slots_range" CHECK ("relay_slots"."slot" BETWEEN 0 AND 31)
);
--> statement-breakpoint
CREATE TABLE "relays" (
	"id" uuid NOT NULL,
	"host" text NOT NULL,
	"version" text NOT NULL,
	"since" timestamp with time zone DEFAULT now() NOT NULL,
	"last_heartbeat" timestamp with time zone DEFAULT now() NOT NULL,
	"state" text DEFAULT 'running' NOT NULL,
	CONSTRAINT "relays_pkey" PRIMARY KEY("id"),
	CONSTRAINT "relays_state_known" CHECK ("relays"."state" IN ('running', 'held_back', 'stopped'))
);
--> statement-breakpoint
ALTER TABLE "ingestion_outbox" DROP CONSTRAINT "ingestion_outbox_status_known";--> statement-breakpoint
CREATE INDEX "ingestion_outbox_open_by_slot" ON "ingestion_outbox" USING btree (recording_slot("isrc"),"available_at","id") WHERE "ingestion_outbox"."settled_at" IS NULL;--> statement-breakpoint
ALTER TABLE "ingestion_outbox" ADD CONSTRAINT "ingestion_outbox_status_fits" CHECK (("ingestion_outbox"."status" IN ('pending', 'in_flight') AND "ingestion_outbox"."settled_at" IS NULL)
        OR ("ingestion_outbox"."status" IN ('scheduled', 'skipped', 'dead') AND "ingestion_outbox"."settled_at" IS NOT NULL)
        OR refuse_outbox_status("ingestion_outbox"."status"));
--> statement-breakpoint
INSERT INTO relay_slots (slot) SELECT generate_series(0, 31);
--> statement-breakpoint
INSERT INTO relay_control DEFAULT VALUES;
