#!/bin/sh
# Run once, when the database is made: the users that processes log in as, each with the role of its process. What a
# role may do is in drizzle/; here the roles are only made, since they have to be there to be granted. segue_operator has
# no login here: make one for each person who is on call.
set -eu
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  -v database="$POSTGRES_DB" -v migrator="$MIGRATOR_PASSWORD" \
  -v api="$API_PASSWORD" -v relay="$RELAY_PASSWORD" -v reader="$READER_PASSWORD" <<'SQL'
CREATE ROLE segue_migrator NOLOGIN;
CREATE ROLE segue_api NOLOGIN;
CREATE ROLE segue_relay NOLOGIN;
CREATE ROLE segue_reader NOLOGIN;
CREATE ROLE segue_operator NOLOGIN;
GRANT CREATE ON DATABASE :"database" TO segue_migrator;
GRANT CREATE ON SCHEMA public TO segue_migrator;

CREATE ROLE migrator LOGIN PASSWORD :'migrator' IN ROLE segue_migrator;
CREATE ROLE api LOGIN PASSWORD :'api' IN ROLE segue_api;
CREATE ROLE relay LOGIN PASSWORD :'relay' IN ROLE segue_relay;
CREATE ROLE reader LOGIN PASSWORD :'reader' IN ROLE segue_reader;
-- What the migrator makes belongs to the role, so that another user of the role can migrate further.
ALTER ROLE migrator SET role = 'segue_migrator';
SQL
