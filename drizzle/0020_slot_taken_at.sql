ALTER TABLE "relay_slots" ADD COLUMN "taken_at" timestamp with time zone;
--> statement-breakpoint
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);
--> statement-breakpoint
-- Whoever takes a slot raises its epoch: relays of any version.
CREATE FUNCTION note_slot_taken() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  NEW.taken_at := now();
  RETURN NEW;
END
$$;
--> statement-breakpoint
CREATE TRIGGER note_slot_taken BEFORE UPDATE ON relay_slots
FOR EACH ROW WHEN (NEW.epoch > OLD.epoch) EXECUTE FUNCTION note_slot_taken();
