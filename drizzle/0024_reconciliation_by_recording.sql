-- As in 0016_reconciliation.sql, but for the request, which must be of the recording: when the table was truncated and its
-- ids began anew, the id in the ledger is that of another recording, which was sent once more or became dead. And a
-- recording whose request is gone keeps its sending.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);
--> statement-breakpoint
CREATE OR REPLACE FUNCTION ingestion_outbox_reconcile(
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
    SELECT ledger.isrc, request.id, request.title, request.artist, request.album, request.artwork_url, given.place,
      coalesce((SELECT times FROM ingestion_reconciled AS past WHERE past.isrc = ledger.isrc), 0) AS times
    FROM turn,
      unnest(lost_ids, lost_isrcs)
        WITH ORDINALITY AS given (id, isrc, place)
    JOIN ingestion_ledger AS ledger ON ledger.isrc = given.isrc AND ledger.outbox_id = given.id
    JOIN ingestion_outbox AS request
      ON request.id = ledger.outbox_id AND request.isrc = ledger.isrc AND request.status = 'scheduled'
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
    SELECT isrc, title, artist, album, artwork_url, -600 FROM anew
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
    FROM given_up WHERE request.id = given_up.id AND request.status = 'scheduled'
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
