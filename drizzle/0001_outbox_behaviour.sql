-- The SQL twin of normaliseIsrc() in packages/ingestion/isrc.ts: the same separators (any white space, the
-- hyphen, U+2010, U+2011), and upper case for ASCII letters only. A test holds the two together. Under the
-- collation "C", \s means the same whatever the database's locale.
CREATE FUNCTION normalise_isrc(isrc text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN translate(
  regexp_replace(isrc COLLATE "C", E'[\\s\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff\\u2010\\u2011-]', '', 'g'),
  'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ');
--> statement-breakpoint
CREATE FUNCTION normalise_outbox_isrc() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  NEW.isrc := normalise_isrc(NEW.isrc);
  RETURN NEW;
END
$$;
--> statement-breakpoint
-- The condition keeps the function away from what our own API writes, which is canonical already.
CREATE TRIGGER normalise_outbox_isrc BEFORE INSERT OR UPDATE OF isrc ON ingestion_outbox
FOR EACH ROW WHEN (NEW.isrc !~ '^[A-Z0-9]{12}$') EXECUTE FUNCTION normalise_outbox_isrc();
--> statement-breakpoint
-- Every row is written three times (inserted, claimed, settled), so half of each page stays free for the later
-- versions: measured over 100,000 rows, claims took 5.0 µs a row instead of 7.7, settlements 4.7 instead of 5.3,
-- and the table ended up a quarter larger. Vacuum comes by after a fixed number of dead rows instead of a share of a
-- history that may be ten million rows long.
ALTER TABLE ingestion_outbox SET (
  fillfactor = 50,
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 200000,
  autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 20000
);
--> statement-breakpoint
ALTER TABLE ingestion_ledger SET (fillfactor = 90);
