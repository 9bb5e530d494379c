-- Who may see and act; may be run again, like 0002_roles.sql. segue_operator is for people: it reads everything, and acts
-- by the functions alone. The functions run with their owner's rights, so nobody else may call them.
DO $$
DECLARE
  act text;
  role_name text;
BEGIN
  IF to_regrole('segue_operator') IS NULL THEN
    BEGIN
      CREATE ROLE segue_operator NOLOGIN;
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN NULL;
      WHEN insufficient_privilege THEN
        RAISE WARNING 'the role segue_operator is missing, since % may not make roles: have an administrator run the newest file of rights in drizzle/', current_user;
    END;
  END IF;
  FOR act IN
    SELECT p.oid::regprocedure::text FROM pg_proc AS p
    WHERE p.pronamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'ingestion_outbox'::regclass)
      AND (p.proname LIKE 'ingestion\_outbox\_%' OR p.proname LIKE 'ingestion\_action\_%')
  LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', act);
    FOREACH role_name IN ARRAY ARRAY['segue_operator', 'segue_relay'] LOOP
      IF to_regrole(role_name) IS NOT NULL AND act ~ '_(requeue|discard|reschedule|release_stuck|pause|resume|counts|matches|check_filter)\(' THEN
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', act, role_name);
      END IF;
    END LOOP;
    IF to_regrole('segue_reader') IS NOT NULL AND act ~ '_(counts|matches|check_filter)\(' THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO segue_reader', act);
    END IF;
  END LOOP;
END $$;
--> statement-breakpoint
DO $$
DECLARE
  granted record;
BEGIN
  FOR granted IN
    SELECT * FROM (VALUES
      ('segue_operator', 'USAGE', format('SCHEMA %I', current_schema())),
      ('segue_relay', 'SELECT', 'TABLE ingestion_outbox_pending, ingestion_outbox_dead, ingestion_outbox_stats, ingestion_outbox_by_album, ingestion_recording'),
      ('segue_relay', 'SELECT, INSERT, UPDATE', 'TABLE ingestion_figures'),
      ('segue_relay', 'SELECT, INSERT', 'TABLE ingestion_actions'),
      ('segue_reader', 'SELECT', 'TABLE ingestion_outbox_pending, ingestion_outbox_dead, ingestion_outbox_stats, ingestion_outbox_by_album, ingestion_recording'),
      ('segue_reader', 'SELECT', 'TABLE ingestion_figures, ingestion_actions'),
      ('segue_operator', 'SELECT', 'TABLE ingestion_outbox_pending, ingestion_outbox_dead, ingestion_outbox_stats, ingestion_outbox_by_album, ingestion_recording'),
      ('segue_operator', 'SELECT', 'TABLE ingestion_figures, ingestion_actions, ingestion_outbox, ingestion_ledger, album_ingestion_batches'),
      ('segue_operator', 'SELECT', 'TABLE library_tracks, library_albums, library_removals, catalog_pending, ingestion_catalog_pending, relay_slots, relays, relay_control, segue_migrations')
    ) AS rights (role_name, privileges, objects)
    WHERE to_regrole(role_name) IS NOT NULL
  LOOP
    EXECUTE format('GRANT %s ON %s TO %I', granted.privileges, granted.objects, granted.role_name);
  END LOOP;
END $$;
