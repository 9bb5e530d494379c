-- Safety net for events that Inngest accepts and drops. Nothing here is written on a row's way.
CREATE TABLE relay_reconciliation (
  -- Always true, so that there is no second row.
  "only" boolean PRIMARY KEY DEFAULT true CHECK ("only"),
  -- One relay at a time compares what was sent with the index.
  holder uuid,
  lease_end timestamptz NOT NULL DEFAULT '-infinity',
  -- When recordings were sent anew, the last minute's: what RELAY_RECONCILE_PER_MINUTE is counted by, over all relays.
  recent timestamptz[] NOT NULL DEFAULT '{}',
  -- Since when and why nothing is sent anew; null: all is well.
  paused_at timestamptz,
  paused_cause text,
  paused_reason text
);
--> statement-breakpoint
INSERT INTO relay_reconciliation DEFAULT VALUES;
--> statement-breakpoint
CREATE TABLE ingestion_reconciled (
  isrc text COLLATE "C" PRIMARY KEY,
  -- How often it was sent anew since it was last seen in the index.
  times integer NOT NULL,
  last_at timestamptz NOT NULL DEFAULT now()
);
--> statement-breakpoint
COMMENT ON TABLE ingestion_reconciled IS
  'Recordings that were sent, did not reach the index, and were sent anew. A recording leaves it when it is seen in the index, or when it has failed for good.';
--> statement-breakpoint
-- The relay makes no requests but these: of recordings that were sent and have not reached the index. So it is a function,
-- with its owner's rights. It finds our tables whatever the caller's search_path.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);
--> statement-breakpoint
CREATE FUNCTION ingestion_outbox_reconcile(
  holding uuid, lost_ids bigint[], lost_isrcs text[], overdue interval, at_most integer, per_minute integer,
  OUT sent_anew jsonb, OUT never_indexed jsonb
)
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
  WITH turn AS MATERIALIZED (
    SELECT ARRAY(SELECT at FROM unnest(recent) AS at WHERE at > now() - interval '1 minute') AS recent
    FROM relay_reconciliation
    WHERE holder = holding AND lease_end > now()
      AND NOT EXISTS (SELECT FROM relay_control WHERE paused_at IS NOT NULL)
      AND NOT EXISTS (
        SELECT FROM ingestion_outbox AS waiting
        WHERE waiting.settled_at IS NULL AND waiting.created_at < now() - interval '2 seconds'
          AND waiting.attempts = 0 AND waiting.available_at < now() + interval '1 minute'
      )
    FOR UPDATE
  ),
  lost AS MATERIALIZED (
    SELECT ledger.isrc, ledger.outbox_id, given.place,
      coalesce((SELECT times FROM ingestion_reconciled AS past WHERE past.isrc = ledger.isrc), 0) AS times
    FROM turn,
      unnest(lost_ids, lost_isrcs)
        WITH ORDINALITY AS given (id, isrc, place)
    JOIN ingestion_ledger AS ledger ON ledger.isrc = given.isrc AND ledger.outbox_id = given.id
    WHERE ledger.sent_at < now() - overdue AND ledger.dead_reason IS NULL
      AND (ledger.indexed_at IS NULL OR ledger.indexed_at < ledger.sent_at)
    FOR UPDATE OF ledger SKIP LOCKED
  ),
  anew AS MATERIALIZED (
    SELECT * FROM lost WHERE times < at_most ORDER BY place
    LIMIT (SELECT greatest(0, per_minute - cardinality(recent)) FROM turn)
  ),
  given_up AS MATERIALIZED (
    SELECT *, format('sent %s times, never indexed', times + 1) AS reason FROM lost WHERE times >= at_most
  ),
  forgotten AS (
    UPDATE ingestion_ledger AS ledger SET sent_at = NULL, prior_sent_at = NULL FROM anew WHERE ledger.isrc = anew.isrc
  ),
  requested AS (
    INSERT INTO ingestion_outbox (isrc, title, artist, album, artwork_url, priority)
    SELECT request.isrc, request.title, request.artist, request.album, request.artwork_url, -600
    FROM anew JOIN ingestion_outbox AS request ON request.id = anew.outbox_id
    RETURNING isrc, title
  ),
  counted AS (
    INSERT INTO ingestion_reconciled AS past (isrc, times) SELECT isrc, 1 FROM anew
    ON CONFLICT (isrc) DO UPDATE SET times = past.times + 1, last_at = now()
  ),
  metered AS (
    UPDATE relay_reconciliation AS control
    SET recent = turn.recent || array_fill(now(), ARRAY[(SELECT count(*)::int FROM requested)])
    FROM turn WHERE EXISTS (SELECT FROM anew)
  ),
  died AS (
    UPDATE ingestion_outbox AS request
    SET status = 'dead', reason = given_up.reason, last_error = given_up.reason, settled_at = now()
    FROM given_up WHERE request.id = given_up.outbox_id AND request.status = 'scheduled'
    RETURNING request.isrc, request.title, request.album_batch_id
  ),
  failed AS (
    UPDATE ingestion_ledger AS ledger SET dead_reason = given_up.reason FROM given_up WHERE ledger.isrc = given_up.isrc
  ),
  uncounted AS (
    DELETE FROM ingestion_reconciled AS past USING given_up WHERE past.isrc = given_up.isrc
  ),
  locked AS MATERIALIZED (
    SELECT batch.id, (SELECT count(*)::int FROM died WHERE died.album_batch_id = batch.id) AS requests
    FROM album_ingestion_batches AS batch
    WHERE batch.id IN (SELECT album_batch_id FROM died) ORDER BY batch.id FOR UPDATE
  ),
  corrected AS (
    UPDATE album_ingestion_batches AS batch
    SET scheduled_count = batch.scheduled_count - locked.requests, dead_count = batch.dead_count + locked.requests
    FROM locked WHERE batch.id = locked.id
  )
  SELECT
    coalesce((SELECT jsonb_agg(jsonb_build_object('isrc', requested.isrc, 'title', requested.title, 'times', anew.times + 2))
      FROM requested JOIN anew ON anew.isrc = requested.isrc), '[]')::jsonb AS sent_anew,
    coalesce((SELECT jsonb_agg(jsonb_build_object('isrc', died.isrc, 'title', died.title, 'times', given_up.times + 1))
      FROM died JOIN given_up ON given_up.isrc = died.isrc), '[]')::jsonb AS never_indexed
$$;
--> statement-breakpoint
COMMENT ON FUNCTION ingestion_outbox_reconcile IS
  'For relays: requests lost recordings anew, with the next event id, per_minute at the most over all relays; what was sent anew at_most times becomes dead. Looks once more at the turn of the relay (holding), at each recording, at the pause of sending and at what waits in the outbox.';
--> statement-breakpoint
-- Who may; may be run again, like 0002_roles.sql.
DO $$
DECLARE
  granted record;
BEGIN
  REVOKE ALL ON FUNCTION ingestion_outbox_reconcile FROM PUBLIC;
  FOR granted IN
    SELECT * FROM (VALUES
      ('segue_relay', 'EXECUTE', 'FUNCTION ingestion_outbox_reconcile'),
      ('segue_relay', 'SELECT, UPDATE', 'TABLE relay_reconciliation'),
      ('segue_relay', 'SELECT, DELETE', 'TABLE ingestion_reconciled'),
      ('segue_operator', 'SELECT', 'TABLE relay_reconciliation, ingestion_reconciled'),
      ('segue_reader', 'SELECT', 'TABLE relay_reconciliation, ingestion_reconciled')
    ) AS rights (role_name, privileges, objects)
    WHERE to_regrole(role_name) IS NOT NULL
  LOOP
    EXECUTE format('GRANT %s ON %s TO %I', granted.privileges, granted.objects, granted.role_name);
  END LOOP;
END $$;
