-- How much was lately given to the worker: a bucket that leaks as fast as the worker works. What requests recordings in bulk
-- looks here first, so that two terminals together are no faster than one. Like the functions, which alone read and write
-- it, the table is not in packages/database/schema.ts.
CREATE TABLE ingestion_meters (
  -- What is metered: `backfill` (with `reindex`).
  name text PRIMARY KEY,
  -- Requests that the worker still has to work on, as of `at`.
  level double precision NOT NULL DEFAULT 0,
  at timestamptz NOT NULL DEFAULT now(),
  -- The highest id of a request that `level` counts.
  counted_id bigint
);
--> statement-breakpoint
-- The functions below run with their owner's rights, and find our tables whatever the caller's search_path.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);
--> statement-breakpoint
CREATE FUNCTION ingestion_outbox_unrequested(isrcs text[], anew boolean DEFAULT false) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
  SELECT asked.isrc FROM unnest(isrcs) AS asked (isrc)
  WHERE asked.isrc NOT IN (
      SELECT open.isrc FROM ingestion_outbox AS open WHERE open.settled_at IS NULL AND open.isrc = ANY(isrcs)
    )
    AND NOT EXISTS (
      SELECT FROM ingestion_ledger AS ledger
      WHERE ledger.isrc = asked.isrc AND (NOT anew
        OR (ledger.sent_at > now() - interval '26 hours' AND (ledger.indexed_at IS NULL OR ledger.indexed_at < ledger.sent_at)))
    )
    AND (anew OR NOT EXISTS (
      SELECT FROM ingestion_outbox AS settled WHERE settled.isrc = asked.isrc AND settled.settled_at IS NOT NULL
    ))
$$;
--> statement-breakpoint
COMMENT ON FUNCTION ingestion_outbox_unrequested IS
  'Which of the recordings (normalised ISRCs) were never requested; with anew: which are not on their way, that is, neither open nor sent within 26 hours and not seen in the index since.';
--> statement-breakpoint
CREATE FUNCTION ingestion_outbox_backfill(
  isrcs text[], titles text[], artists text[], albums text[], artwork_urls text[], per_minute integer, reason text,
  selection jsonb DEFAULT '{}', anew boolean DEFAULT false, continues bigint DEFAULT NULL, actor text DEFAULT NULL,
  OUT action_id bigint, OUT rows integer, OUT taken integer, OUT held_back text, OUT wait_ms integer
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
#variable_conflict use_variable
DECLARE
  -- Rows a call: a fresh addition that commits right behind them waits for no more than these.
  most constant integer := 100;
  meter ingestion_meters;
  capacity float8;
  arrived integer;
  newest bigint;
  wanted text[];
  inserted bigint[];
BEGIN
  PERFORM ingestion_action_reason_checked(reason);
  IF per_minute IS NULL OR per_minute < 1 THEN
    RAISE invalid_parameter_value USING MESSAGE = 'per_minute is a number from 1 on';
  END IF;
  action_id := continues; rows := 0; taken := 0;

  -- Held until the end: two terminals take turns, and each sees what the other has added.
  INSERT INTO ingestion_meters (name) VALUES ('backfill') ON CONFLICT DO NOTHING;
  SELECT held.* INTO meter FROM ingestion_meters AS held WHERE held.name = 'backfill' FOR UPDATE;

  IF EXISTS (SELECT FROM relay_control AS control WHERE control.paused_at IS NOT NULL) THEN
    held_back := 'paused'; wait_ms := 2000;
    RETURN;
  END IF;
  -- What waits for longer than a relay takes to claim it. What was refused, or is put off, does not count.
  IF EXISTS (
    SELECT FROM ingestion_outbox AS waiting
    WHERE waiting.settled_at IS NULL AND waiting.created_at < clock_timestamp() - interval '2 seconds'
      AND waiting.attempts = 0 AND waiting.available_at < clock_timestamp() + interval '1 minute'
  ) THEN
    held_back := 'backlog'; wait_ms := 1000;
    RETURN;
  END IF;

  -- All that came since, whoever asked for it, goes to the worker first.
  SELECT max(request.id) INTO newest FROM ingestion_outbox AS request;
  SELECT count(*) INTO arrived FROM (
    SELECT request.status FROM ingestion_outbox AS request WHERE request.id > coalesce(meter.counted_id, newest)
    ORDER BY request.id LIMIT 100000
  ) AS came WHERE came.status <> 'skipped';
  meter.level := greatest(0, meter.level + arrived
    - extract(epoch FROM clock_timestamp() - meter.at)::float8 * per_minute / 60);
  -- What the worker takes in ten seconds may be given to it at once.
  capacity := greatest(1, per_minute / 6.0);
  UPDATE ingestion_meters AS held
  SET level = meter.level, at = clock_timestamp(), counted_id = coalesce(greatest(newest, meter.counted_id), 0)
  WHERE held.name = 'backfill';

  taken := least(cardinality(isrcs), most, greatest(0, floor(capacity - meter.level)));
  IF taken > 0 THEN
    SELECT array_agg(DISTINCT unrequested.isrc) INTO wanted
    FROM ingestion_outbox_unrequested(isrcs[1:taken], anew) AS unrequested (isrc);
    IF anew THEN
      -- It is gone from the index, so that its last sending makes the new request no duplicate.
      PERFORM FROM ingestion_ledger AS ledger WHERE ledger.isrc = ANY(wanted) ORDER BY ledger.isrc FOR UPDATE;
      UPDATE ingestion_ledger AS ledger SET sent_at = NULL, prior_sent_at = NULL, indexed_at = NULL
      WHERE ledger.isrc = ANY(wanted);
    END IF;
    WITH made AS (
      INSERT INTO ingestion_outbox (isrc, title, artist, album, artwork_url, priority)
      SELECT DISTINCT ON (given.isrc) given.isrc, given.title, given.artist, given.album, given.artwork_url, -600
      FROM unnest(isrcs[1:taken], titles[1:taken], artists[1:taken], albums[1:taken], artwork_urls[1:taken])
        AS given (isrc, title, artist, album, artwork_url)
      WHERE given.isrc = ANY(wanted)
      RETURNING id
    )
    SELECT coalesce(array_agg(made.id), '{}') INTO inserted FROM made;
    rows := cardinality(inserted);
    IF rows > 0 THEN
      action_id := ingestion_action_recorded(CASE WHEN anew THEN 'reindex' ELSE 'backfill' END, reason, actor, selection,
        rows, inserted, continues);
      PERFORM pg_notify('ingestion_outbox', '');
    END IF;
  ELSIF cardinality(isrcs) > 0 THEN
    held_back := 'meter';
  END IF;
  wait_ms := least(60000, ceil(greatest(0, meter.level + rows + 1 - capacity) * 60000 / per_minute));
END
$$;
--> statement-breakpoint
COMMENT ON FUNCTION ingestion_outbox_backfill IS
  'Requests recordings that were never requested (with anew: that are gone from the index), at most per_minute and 100 a call, behind all other requests. taken: how many of those given are done with. held_back: why none was (paused, backlog, meter). Call again after wait_ms.';
--> statement-breakpoint
-- Who may; may be run again, like 0012_operator_rights.sql.
DO $$
DECLARE
  granted record;
BEGIN
  REVOKE ALL ON FUNCTION ingestion_outbox_unrequested, ingestion_outbox_backfill FROM PUBLIC;
  FOR granted IN
    SELECT * FROM (VALUES
      ('segue_operator', 'EXECUTE', 'FUNCTION ingestion_outbox_unrequested, ingestion_outbox_backfill'),
      ('segue_operator', 'SELECT', 'TABLE ingestion_meters'),
      ('segue_reader', 'SELECT', 'TABLE ingestion_meters')
    ) AS rights (role_name, privileges, objects)
    WHERE to_regrole(role_name) IS NOT NULL
  LOOP
    EXECUTE format('GRANT %s ON %s TO %I', granted.privileges, granted.objects, granted.role_name);
  END LOOP;
END $$;
