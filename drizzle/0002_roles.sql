-- What each process may do, as roles without a login, to be granted to the users that processes log in as:
--   GRANT segue_relay TO the_user_of_the_relay;
-- Roles belong to the whole cluster, whose databases may be migrated at the same time: what another has just made is
-- taken as it is. Where the migrating user may not make roles (managed databases), the migration says so and goes on;
-- an administrator may then run this file, now or later, as often as wanted, with search_path set to DATABASE_SCHEMA.
DO $$
DECLARE
  role_name text;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['segue_migrator', 'segue_api', 'segue_relay', 'segue_reader'] LOOP
    CONTINUE WHEN to_regrole(role_name) IS NOT NULL;
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN NULL;
      WHEN insufficient_privilege THEN
        RAISE WARNING 'the role % is missing, since % may not make roles: have an administrator run drizzle/0002_roles.sql, or give every process the rights of this user', role_name, current_user;
    END;
  END LOOP;
END $$;
--> statement-breakpoint
-- The sequences of identity columns need no right of their own. What is not here is not allowed: the relay sees no
-- library, and the API changes no request once it is made.
DO $$
DECLARE
  granted record;
BEGIN
  FOR granted IN
    SELECT * FROM (VALUES
      ('segue_api', 'USAGE', format('SCHEMA %I', current_schema())),
      ('segue_relay', 'USAGE', format('SCHEMA %I', current_schema())),
      ('segue_reader', 'USAGE', format('SCHEMA %I', current_schema())),
      ('segue_api', 'SELECT, INSERT, UPDATE, DELETE', 'TABLE library_tracks, library_albums'),
      ('segue_api', 'SELECT, INSERT', 'TABLE ingestion_outbox, album_ingestion_batches'),
      ('segue_api', 'SELECT', 'TABLE ingestion_ledger'),
      ('segue_relay', 'SELECT, UPDATE, DELETE', 'TABLE ingestion_outbox, album_ingestion_batches'),
      ('segue_relay', 'SELECT, INSERT, UPDATE', 'TABLE ingestion_ledger'),
      ('segue_reader', 'SELECT', 'TABLE library_tracks, library_albums'),
      ('segue_reader', 'SELECT', 'TABLE ingestion_outbox, album_ingestion_batches, ingestion_ledger'),
      ('segue_reader', 'SELECT', 'TABLE segue_migrations')
    ) AS rights (role_name, privileges, objects)
    WHERE to_regrole(role_name) IS NOT NULL
  LOOP
    CONTINUE WHEN granted.privileges = 'USAGE'
      AND has_schema_privilege(granted.role_name::text, current_schema(), 'USAGE');
    EXECUTE format('GRANT %s ON %s TO %I', granted.privileges, granted.objects, granted.role_name);
  END LOOP;
END $$;
--> statement-breakpoint
-- What a migration makes is owned by who makes it. The migrator may, in this database; Drizzle asks for CREATE on the
-- database as well. Only the owner of the database can grant that, and where somebody has, nothing is left to do.
DO $$
BEGIN
  IF to_regrole('segue_migrator') IS NULL THEN RETURN; END IF;
  IF NOT has_database_privilege('segue_migrator', current_database(), 'CREATE') THEN
    EXECUTE format('GRANT CREATE ON DATABASE %I TO segue_migrator', current_database());
  END IF;
  IF NOT has_schema_privilege('segue_migrator', current_schema(), 'CREATE') THEN
    EXECUTE format('GRANT CREATE ON SCHEMA %I TO segue_migrator', current_schema());
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN
    RAISE WARNING 'segue_migrator may not make tables here: have the owner of the database run drizzle/0002_roles.sql';
END $$;
