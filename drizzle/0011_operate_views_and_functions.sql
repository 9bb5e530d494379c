-- What people see of the outbox, and do to it, with psql alone. `npm run outbox` and the console stand on the same
-- views and functions. docs/outbox-in-sql.md shows how to ask.
--
-- The functions run with their owner's rights, so that an operator needs no right on a table. They and the views find
-- our tables wherever they were made, whatever the caller's search_path; a temporary table never takes their place.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);
--> statement-breakpoint
CREATE VIEW ingestion_outbox_pending AS
SELECT request.id, request.isrc, request.title, request.artist, request.album,
  request.created_at, now() - request.created_at AS age,
  request.available_at AS next_attempt_at, request.available_at > now() AS waits,
  request.attempts, request.last_error, request.force, request.priority, request.album_batch_id,
  slot.slot, slot.owner AS held_by, relay.host AS held_by_host, slot.lease_end AS held_until
FROM ingestion_outbox AS request
LEFT JOIN relay_slots AS slot ON slot.slot = recording_slot(request.isrc)
LEFT JOIN relays AS relay ON relay.id = slot.owner
WHERE request.settled_at IS NULL
ORDER BY request.created_at, request.id;
--> statement-breakpoint
COMMENT ON VIEW ingestion_outbox_pending IS
  'Requests that are not settled, the oldest first. waits: until next_attempt_at no relay takes it. held_by: the relay that owns the slot of the recording; null: none does.';
--> statement-breakpoint
CREATE VIEW ingestion_outbox_dead AS
SELECT request.id, request.isrc, request.title, request.artist, request.album, request.reason, request.attempts,
  request.created_at, request.settled_at AS died_at, now() - request.settled_at AS age,
  request.force, request.priority, request.album_batch_id
FROM ingestion_outbox AS request
WHERE request.status = 'dead'
ORDER BY request.created_at DESC, request.id DESC;
--> statement-breakpoint
COMMENT ON VIEW ingestion_outbox_dead IS
  'Requests that nothing sends by itself any more, the newest first. reason: what refused it. ingestion_outbox_requeue() sends them again, ingestion_outbox_discard() puts them away.';
--> statement-breakpoint
CREATE FUNCTION ingestion_outbox_counts()
RETURNS TABLE (status text, reason text, requests bigint, exact boolean, oldest_age interval,
  last_5_minutes bigint, last_60_minutes bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
#variable_conflict use_column
DECLARE
  estimated float8;
BEGIN
  -- 64 MB are some 200,000 rows, which are counted in 50 ms. Beyond, only what is open or dead is counted, by indexes that
  -- hold nothing else; the rest is what ANALYZE has seen, and the relays' own figures of each minute.
  IF pg_relation_size('ingestion_outbox') < 67108864 THEN
    RETURN QUERY
    SELECT request.status, CASE WHEN request.status IN ('skipped', 'dead') THEN left(request.reason, 200) END,
      count(*), true,
      CASE WHEN request.status IN ('pending', 'in_flight', 'dead') THEN now() - min(request.created_at) END,
      count(*) FILTER (WHERE coalesce(request.settled_at, request.created_at) > now() - interval '5 minutes'),
      count(*) FILTER (WHERE coalesce(request.settled_at, request.created_at) > now() - interval '60 minutes')
    FROM ingestion_outbox AS request
    GROUP BY 1, 2 ORDER BY 1, 2;
    RETURN;
  END IF;

  RETURN QUERY
  SELECT 'pending', NULL::text, open.requests, true, now() - open.oldest, minutes.last_5, minutes.last_60
  FROM (
    SELECT count(*) AS requests, min(request.created_at) AS oldest
    FROM ingestion_outbox AS request WHERE request.settled_at IS NULL
  ) AS open,
  (
    SELECT coalesce(sum(figures.requested) FILTER (WHERE figures.minute > now() - interval '5 minutes'), 0)::bigint AS last_5,
      coalesce(sum(figures.requested), 0)::bigint AS last_60
    FROM ingestion_figures AS figures WHERE figures.minute > now() - interval '60 minutes'
  ) AS minutes;

  RETURN QUERY
  SELECT 'dead', left(request.reason, 200), count(*), true, now() - min(request.created_at),
    count(*) FILTER (WHERE request.settled_at > now() - interval '5 minutes'),
    count(*) FILTER (WHERE request.settled_at > now() - interval '60 minutes')
  FROM ingestion_outbox AS request WHERE request.status = 'dead'
  GROUP BY 2 ORDER BY 2;

  SELECT greatest(class.reltuples, 0) INTO estimated FROM pg_class AS class WHERE class.oid = 'ingestion_outbox'::regclass;
  RETURN QUERY
  WITH known AS (
    SELECT stats.attname, common.value, common.share
    FROM pg_stats AS stats,
      unnest(stats.most_common_vals::text::text[], stats.most_common_freqs) AS common (value, share)
    WHERE stats.schemaname = (SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = 'ingestion_outbox'::regclass)
      AND stats.tablename = 'ingestion_outbox' AND stats.attname IN ('status', 'reason')
  ),
  minutes AS (
    SELECT figures.minute > now() - interval '5 minutes' AS recent, counted.*
    FROM ingestion_figures AS figures,
      LATERAL (VALUES
        ('scheduled', NULL, figures.scheduled), ('skipped', 'already_indexed', figures.already_indexed),
        ('skipped', 'duplicate', figures.duplicate)
      ) AS counted (status, reason, requests)
    WHERE figures.minute > now() - interval '60 minutes'
    UNION ALL
    SELECT action.at > now() - interval '5 minutes', 'skipped', 'discarded', action.rows
    FROM ingestion_actions AS action WHERE action.action = 'discard' AND action.at > now() - interval '60 minutes'
  )
  SELECT outcome.status, outcome.reason,
    (estimated * coalesce((
      SELECT known.share FROM known
      WHERE known.value = coalesce(outcome.reason, outcome.status)
        AND known.attname = CASE WHEN outcome.reason IS NULL THEN 'status' ELSE 'reason' END), 0))::bigint,
    false, NULL::interval,
    coalesce((SELECT sum(minutes.requests) FROM minutes WHERE minutes.recent AND minutes.status = outcome.status
      AND minutes.reason IS NOT DISTINCT FROM outcome.reason), 0)::bigint,
    coalesce((SELECT sum(minutes.requests) FROM minutes WHERE minutes.status = outcome.status
      AND minutes.reason IS NOT DISTINCT FROM outcome.reason), 0)::bigint
  FROM (VALUES ('scheduled', NULL), ('skipped', 'already_indexed'), ('skipped', 'duplicate'), ('skipped', 'discarded'))
    AS outcome (status, reason);
END
$$;
--> statement-breakpoint
CREATE VIEW ingestion_outbox_stats AS SELECT * FROM ingestion_outbox_counts();
--> statement-breakpoint
COMMENT ON VIEW ingestion_outbox_stats IS
  'Requests by status and reason, the age of the oldest, and how many came to it in the last 5 and 60 minutes. In a large outbox what is settled is estimated (exact: false), and its rates are the relays'' figures, some 10 s old.';
--> statement-breakpoint
CREATE VIEW ingestion_outbox_by_album AS
SELECT batch.artist, batch.album, batch.id AS album_batch_id, batch.created_at AS requested_at, batch.total_tracks AS requests,
  batch.total_tracks - batch.scheduled_count - batch.skipped_count - batch.dead_count AS pending,
  batch.scheduled_count AS scheduled, batch.skipped_count AS skipped, batch.dead_count AS dead
FROM album_ingestion_batches AS batch
UNION ALL
SELECT request.artist, request.album, NULL, min(request.created_at), count(*)::int,
  (count(*) FILTER (WHERE request.settled_at IS NULL))::int, 0, 0,
  (count(*) FILTER (WHERE request.settled_at IS NOT NULL))::int
FROM (
  SELECT artist, album, created_at, settled_at FROM ingestion_outbox WHERE settled_at IS NULL AND album_batch_id IS NULL
  UNION ALL
  SELECT artist, album, created_at, settled_at FROM ingestion_outbox WHERE status = 'dead' AND album_batch_id IS NULL
) AS request
GROUP BY request.artist, request.album;
--> statement-breakpoint
COMMENT ON VIEW ingestion_outbox_by_album IS
  'How far each requested album is: one row a request of an album (album_batch_id), and one row for each album of which single recordings wait or are dead (album_batch_id null; of those only what is pending or dead is counted).';
--> statement-breakpoint
CREATE VIEW ingestion_recording AS
SELECT known.isrc, latest.title, latest.artist, latest.album,
  CASE
    WHEN latest.open THEN 'pending'
    WHEN ledger.dead_reason IS NOT NULL THEN 'failed'
    WHEN ledger.indexed_at >= coalesce(ledger.sent_at, ledger.indexed_at) THEN 'indexed'
    WHEN ledger.sent_at IS NOT NULL THEN 'scheduled'
    ELSE coalesce(latest.status, 'unknown')
  END AS state,
  ledger.generation, ledger.sent_at, ledger.indexed_at, ledger.dead_reason,
  CASE WHEN ledger.generation > 0 THEN format('track-ingestion:%s:%s', known.isrc, ledger.generation) END AS last_event_id,
  recording_slot(known.isrc) AS slot, slot.owner AS held_by, relay.host AS held_by_host,
  coalesce(asked.requests, '[]') AS requests,
  coalesce(done.actions, '[]') AS actions
FROM (
  SELECT isrc FROM ingestion_ledger
  UNION
  SELECT isrc FROM ingestion_outbox WHERE settled_at IS NOT NULL
  UNION
  SELECT isrc FROM ingestion_outbox WHERE settled_at IS NULL
) AS known
LEFT JOIN ingestion_ledger AS ledger ON ledger.isrc = known.isrc
LEFT JOIN relay_slots AS slot ON slot.slot = recording_slot(known.isrc)
LEFT JOIN relays AS relay ON relay.id = slot.owner
LEFT JOIN LATERAL (
  SELECT jsonb_agg(jsonb_build_object(
      'id', request.id, 'requested_at', request.created_at, 'status', request.status, 'reason', request.reason,
      'decided_at', request.settled_at, 'attempts', request.attempts, 'last_error', request.last_error,
      'next_attempt_at', CASE WHEN request.settled_at IS NULL THEN request.available_at END,
      'force', request.force, 'priority', request.priority, 'album_batch_id', request.album_batch_id,
      'event_id', CASE WHEN request.status = 'scheduled' AND request.generation IS NOT NULL
        THEN format('track-ingestion:%s:%s', request.isrc, request.generation) END,
      'request_id', request.request_id
    ) ORDER BY request.created_at, request.id) AS requests,
    array_agg(request.id) AS ids
  FROM (
    SELECT id, created_at, settled_at, status, reason, attempts, last_error, available_at, force, priority, album_batch_id, generation, isrc, request_id
    FROM ingestion_outbox AS settled
    WHERE settled.isrc = known.isrc AND settled.settled_at IS NOT NULL
    UNION ALL
    SELECT id, created_at, settled_at, status, reason, attempts, last_error, available_at, force, priority, album_batch_id, generation, isrc, request_id
    FROM ingestion_outbox AS open
    WHERE recording_slot(open.isrc) = recording_slot(known.isrc) AND open.isrc = known.isrc AND open.settled_at IS NULL
  ) AS request
) AS asked ON true
LEFT JOIN LATERAL (
  SELECT jsonb_agg(jsonb_build_object('id', action.id, 'at', action.at, 'actor', action.actor, 'action', action.action,
      'reason', action.reason, 'rows', action.rows) ORDER BY action.id) AS actions
  FROM ingestion_actions AS action WHERE action.outbox_ids && asked.ids
) AS done ON true
LEFT JOIN LATERAL (
  SELECT last->>'status' AS status, last->>'decided_at' IS NULL AS open, request.title, request.artist, request.album
  FROM (SELECT asked.requests->-1 AS last) AS newest
  JOIN ingestion_outbox AS request ON request.id = (newest.last->>'id')::bigint
) AS latest ON true;
--> statement-breakpoint
COMMENT ON VIEW ingestion_recording IS
  'The whole story of a recording; ask for one: WHERE isrc = ''USRC17607839''. The ledger (what was sent and seen in the index), every request that is still kept with what was decided, and what people did to them.';
--> statement-breakpoint
-- What a filter may name. Texts are compared without case; text is looked for in title, artist and album, error in what
-- refused a request.
CREATE FUNCTION ingestion_outbox_check_filter(filter jsonb) RETURNS void
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
  unknown text;
BEGIN
  IF jsonb_typeof(filter) <> 'object' THEN
    RAISE invalid_parameter_value USING MESSAGE = 'a filter is an object, such as {"status": "dead", "error": "429"}';
  END IF;
  SELECT string_agg(key, ', ') INTO unknown FROM jsonb_object_keys(filter) AS key
  WHERE key NOT IN ('status', 'reason', 'error', 'isrc', 'text', 'artist', 'album', 'album_batch_id', 'force', 'waits',
    'attempts', 'created_before', 'created_after');
  IF unknown IS NOT NULL THEN
    RAISE invalid_parameter_value USING MESSAGE = format('a filter knows no "%s"', left(unknown, 100)),
      HINT = 'It knows status, reason, error, isrc, text, artist, album, album_batch_id, force, waits, attempts (at least), created_before, created_after.';
  END IF;
  -- Fails here, with the value, and not at some row.
  PERFORM (filter->>'created_before')::timestamptz, (filter->>'created_after')::timestamptz,
    (filter->>'album_batch_id')::bigint, (filter->>'force')::boolean, (filter->>'waits')::boolean,
    (filter->>'attempts')::int;
END
$$;
--> statement-breakpoint
CREATE FUNCTION ingestion_outbox_matches(request ingestion_outbox, filter jsonb) RETURNS boolean
LANGUAGE sql STABLE
RETURN (filter->>'status' IS NULL OR request.status = filter->>'status')
  AND (filter->>'reason' IS NULL OR request.reason = filter->>'reason')
  AND (filter->>'error' IS NULL
    OR position(lower(filter->>'error') IN lower(coalesce(request.reason, '') || ' ' || coalesce(request.last_error, ''))) > 0)
  AND (filter->>'isrc' IS NULL OR request.isrc = filter->>'isrc')
  AND (filter->>'text' IS NULL
    OR position(lower(filter->>'text') IN lower(request.title || ' ' || request.artist || ' ' || request.album)) > 0)
  AND (filter->>'artist' IS NULL OR lower(request.artist) = lower(filter->>'artist'))
  AND (filter->>'album' IS NULL OR lower(request.album) = lower(filter->>'album'))
  AND (filter->>'album_batch_id' IS NULL OR request.album_batch_id = (filter->>'album_batch_id')::bigint)
  AND (filter->>'force' IS NULL OR request.force = (filter->>'force')::boolean)
  AND (filter->>'waits' IS NULL OR (request.available_at > now()) = (filter->>'waits')::boolean)
  AND (filter->>'attempts' IS NULL OR request.attempts >= (filter->>'attempts')::int)
  AND (filter->>'created_before' IS NULL OR request.created_at < (filter->>'created_before')::timestamptz)
  AND (filter->>'created_after' IS NULL OR request.created_at > (filter->>'created_after')::timestamptz);
--> statement-breakpoint
-- Why a request is none that an action may change, for people; null where it may.
CREATE FUNCTION ingestion_outbox_refusal(action text, request ingestion_outbox) RETURNS text
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
  SELECT CASE
    WHEN request.status = 'in_flight' THEN format('request %s is leased by a relay of the former version until %s', request.id, request.available_at)
    WHEN request.status = 'scheduled' THEN format('request %s was sent at %s: what was sent cannot be %s; a new request with force = true sends the recording anew',
      request.id, request.settled_at::timestamptz(0), verb.past)
    WHEN request.status = 'skipped' THEN format('request %s was skipped at %s (%s) and cannot be %s; a new request with force = true sends the recording anew',
      request.id, request.settled_at::timestamptz(0), request.reason, verb.past)
    WHEN request.status = 'dead' AND action IN ('reschedule', 'release_stuck')
      THEN format('request %s is dead (%s): requeue it', request.id, left(request.reason, 200))
    WHEN request.status = 'pending' AND action = 'requeue'
      THEN format('request %s is pending already%s', request.id,
        CASE WHEN request.available_at > now() THEN format(', its next attempt is at %s: reschedule it', request.available_at::timestamptz(0)) ELSE '' END)
    ELSE NULL
  END
  FROM (SELECT CASE action WHEN 'discard' THEN 'discarded' WHEN 'reschedule' THEN 'rescheduled' WHEN 'requeue' THEN 'requeued'
    ELSE 'released' END AS past) AS verb
$$;
--> statement-breakpoint
-- Which requests an action is about: those that it may change, and why not the others. Walks 100,000 requests of a
-- filter at the most and says where to go on (next), so that no call takes long.
CREATE FUNCTION ingestion_outbox_pick(
  action text, statuses text[], ids bigint[], isrcs text[], filter jsonb, after text, at_most integer,
  OUT picked bigint[], OUT refused integer, OUT refusals jsonb, OUT next text
)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
#variable_conflict use_column
DECLARE
  given integer := num_nonnulls(ids, isrcs, filter);
  wanted text[];
  walk constant integer := greatest(100000, at_most);
  after_moment timestamptz := coalesce(split_part(after, '|', 1)::timestamptz, '-infinity');
  after_id bigint := coalesce(nullif(split_part(after, '|', 2), '')::bigint, 0);
  walked integer;
BEGIN
  picked := '{}'; refused := 0; refusals := '[]';
  IF given <> 1 THEN
    RAISE invalid_parameter_value USING MESSAGE = 'say which requests: by ids, by isrcs or by a filter, one of the three';
  END IF;
  IF at_most IS NULL OR at_most < 1 THEN
    RAISE invalid_parameter_value USING MESSAGE = 'at_most is a number from 1 on';
  END IF;
  IF greatest(cardinality(ids), cardinality(isrcs)) > 10000 THEN
    RAISE invalid_parameter_value USING MESSAGE = 'name 10,000 requests a call at the most, or use a filter';
  END IF;
  IF coalesce(cardinality(ids), cardinality(isrcs), 1) = 0 THEN
    RAISE invalid_parameter_value USING MESSAGE = 'no request is named';
  END IF;

  IF ids IS NOT NULL THEN
    SELECT coalesce(array_agg(asked.id ORDER BY asked.id) FILTER (WHERE why IS NULL), '{}'), count(why),
      coalesce(jsonb_agg(jsonb_build_object('id', asked.id, 'isrc', request.isrc, 'status', request.status, 'why', why)
        ORDER BY asked.id) FILTER (WHERE why IS NOT NULL AND place <= 100), '[]')
    INTO picked, refused, refusals
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM unnest(ids) AS id GROUP BY id) AS asked
    LEFT JOIN ingestion_outbox AS request ON request.id = asked.id,
    LATERAL (SELECT CASE WHEN request.id IS NULL THEN format('there is no request %s', asked.id)
      ELSE ingestion_outbox_refusal(action, request) END) AS reason (why);
  ELSIF isrcs IS NOT NULL THEN
    SELECT array_agg(DISTINCT normalise_isrc(isrc)) INTO wanted FROM unnest(isrcs) AS isrc;
    WITH found AS (
      SELECT asked.isrc, request.id
      FROM unnest(wanted) AS asked (isrc)
      LEFT JOIN LATERAL (
        SELECT open.id FROM ingestion_outbox AS open
        WHERE open.settled_at IS NULL AND recording_slot(open.isrc) = recording_slot(asked.isrc) AND open.isrc = asked.isrc
          AND open.status = 'pending' AND 'pending' = ANY(statuses)
        UNION ALL
        SELECT dead.id FROM ingestion_outbox AS dead
        WHERE dead.settled_at IS NOT NULL AND dead.isrc = asked.isrc AND dead.status = 'dead' AND 'dead' = ANY(statuses)
      ) AS request ON true
    )
    SELECT coalesce(array_agg(found.id ORDER BY found.id) FILTER (WHERE found.id IS NOT NULL), '{}'),
      count(*) FILTER (WHERE found.id IS NULL),
      coalesce(jsonb_agg(jsonb_build_object('isrc', found.isrc,
        'why', format('%s has no request that is %s', found.isrc, array_to_string(statuses, ' or ')))
        ORDER BY found.isrc) FILTER (WHERE found.id IS NULL), '[]')
    INTO picked, refused, refusals FROM found;
  ELSE
    PERFORM ingestion_outbox_check_filter(filter);
    IF filter ? 'isrc' THEN
      filter := filter || jsonb_build_object('isrc', normalise_isrc(filter->>'isrc'));
    END IF;
    IF NOT coalesce(filter->>'status', statuses[1]) = ANY(statuses) THEN
      RAISE invalid_parameter_value USING
        MESSAGE = format('%s changes requests that are %s, none that are %s', action, array_to_string(statuses, ' or '), left(filter->>'status', 40));
    END IF;
    IF coalesce(filter->>'status', statuses[1]) = 'dead' THEN
      WITH walked AS (
        SELECT request.id, request.created_at, row_number() OVER (ORDER BY request.created_at, request.id) AS place,
          ingestion_outbox_matches(request, filter) AS fits
        FROM ingestion_outbox AS request
        WHERE request.status = 'dead' AND (request.created_at, request.id) > (after_moment, after_id)
        ORDER BY request.created_at, request.id LIMIT walk
      ),
      fitting AS (SELECT * FROM walked WHERE fits ORDER BY place LIMIT at_most)
      SELECT coalesce((SELECT array_agg(id ORDER BY place) FROM fitting), '{}'),
        coalesce(
          (SELECT created_at || '|' || id FROM fitting WHERE (SELECT count(*) FROM fitting) = at_most ORDER BY place DESC LIMIT 1),
          (SELECT created_at || '|' || id FROM walked WHERE place = walk))
      INTO picked, next;
    ELSE
      WITH walked AS (
        SELECT request.id, request.created_at, row_number() OVER (ORDER BY request.created_at, request.id) AS place,
          request.status = 'pending' AND ingestion_outbox_matches(request, filter) AS fits
        FROM ingestion_outbox AS request
        WHERE request.settled_at IS NULL AND (request.created_at, request.id) > (after_moment, after_id)
        ORDER BY request.created_at, request.id LIMIT walk
      ),
      fitting AS (SELECT * FROM walked WHERE fits ORDER BY place LIMIT at_most)
      SELECT coalesce((SELECT array_agg(id ORDER BY place) FROM fitting), '{}'),
        coalesce(
          (SELECT created_at || '|' || id FROM fitting WHERE (SELECT count(*) FROM fitting) = at_most ORDER BY place DESC LIMIT 1),
          (SELECT created_at || '|' || id FROM walked WHERE place = walk))
      INTO picked, next;
    END IF;
  END IF;
END
$$;
--> statement-breakpoint
-- Locks what an action is about to change. A request that a relay settles at this very moment is left to it.
CREATE FUNCTION ingestion_outbox_lock(
  statuses text[], INOUT picked bigint[], INOUT refused integer, INOUT refusals jsonb
)
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
#variable_conflict use_variable
DECLARE
  locked bigint[];
BEGIN
  SELECT coalesce(array_agg(held.id), '{}') INTO locked FROM (
    SELECT request.id FROM ingestion_outbox AS request
    WHERE request.id = ANY(picked) AND request.status = ANY(statuses) ORDER BY request.id FOR UPDATE SKIP LOCKED
  ) AS held;
  IF cardinality(locked) < cardinality(picked) THEN
    refused := refused + cardinality(picked) - cardinality(locked);
    refusals := refusals || (
      SELECT coalesce(jsonb_agg(jsonb_build_object('id', missing.id, 'isrc', request.isrc, 'status', request.status,
        'why', format('request %s is being changed by a relay at this moment', missing.id))), '[]')
      FROM (SELECT id FROM unnest(picked) AS id WHERE id <> ALL(locked) LIMIT 100) AS missing
      LEFT JOIN ingestion_outbox AS request ON request.id = missing.id);
    picked := locked;
  END IF;
END
$$;
--> statement-breakpoint
-- The record of what people did. An action in several calls is one: the later ones continue it.
CREATE FUNCTION ingestion_action_recorded(
  action text, reason text, actor text, selection jsonb, rows integer, outbox_ids bigint[], continues bigint
) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
#variable_conflict use_variable
DECLARE
  recorded bigint;
BEGIN
  IF continues IS NOT NULL THEN
    UPDATE ingestion_actions AS past SET rows = past.rows + rows,
      outbox_ids = (past.outbox_ids || outbox_ids)[1:10000]
    WHERE past.id = continues AND past.action = action RETURNING past.id INTO recorded;
    IF recorded IS NULL THEN
      RAISE invalid_parameter_value USING MESSAGE = format('there is no %s %s to continue', action, continues);
    END IF;
  ELSE
    INSERT INTO ingestion_actions (actor, action, reason, selection, rows, outbox_ids, source)
    VALUES (coalesce(nullif(btrim(actor), ''), session_user), action, btrim(reason), selection, rows, outbox_ids[1:10000],
      coalesce(current_setting('application_name', true), ''))
    RETURNING id INTO recorded;
  END IF;
  RETURN recorded;
END
$$;
--> statement-breakpoint
CREATE FUNCTION ingestion_action_reason_checked(reason text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
BEGIN
  IF coalesce(btrim(reason), '') = '' THEN
    RAISE invalid_parameter_value USING MESSAGE = 'say why, for those who look later: reason => ''…''';
  END IF;
  IF length(reason) > 1000 THEN
    RAISE invalid_parameter_value USING MESSAGE = 'give the reason in 1,000 characters at the most';
  END IF;
END
$$;
--> statement-breakpoint
-- Refuses an action that would change nothing of what was named, with the reason for each.
CREATE FUNCTION ingestion_action_refused(refusals jsonb) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  RAISE object_not_in_prerequisite_state USING
    MESSAGE = 'nothing was changed: ' || (refusals->0->>'why'),
    DETAIL = refusals::text;
END
$$;
--> statement-breakpoint
CREATE FUNCTION ingestion_outbox_requeue(
  ids bigint[] DEFAULT NULL, isrcs text[] DEFAULT NULL, filter jsonb DEFAULT NULL, reason text DEFAULT NULL,
  force boolean DEFAULT NULL, dry_run boolean DEFAULT false, at_most integer DEFAULT 10000, after text DEFAULT NULL,
  continues bigint DEFAULT NULL, actor text DEFAULT NULL,
  OUT action_id bigint, OUT rows integer, OUT refused integer, OUT refusals jsonb, OUT next text
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
#variable_conflict use_variable
DECLARE
  picked bigint[];
BEGIN
  PERFORM ingestion_action_reason_checked(reason);
  SELECT found.* INTO picked, refused, refusals, next
  FROM ingestion_outbox_pick('requeue', '{dead}', ids, isrcs, filter, after, at_most) AS found;
  rows := cardinality(picked);
  IF dry_run THEN RETURN; END IF;
  SELECT locked.* INTO picked, refused, refusals FROM ingestion_outbox_lock('{dead}', picked, refused, refusals) AS locked;

  WITH changed AS (
    UPDATE ingestion_outbox AS request
    SET status = 'pending', settled_at = NULL, reason = NULL, attempts = 0, available_at = now(),
      force = coalesce(force, request.force)
    WHERE request.id = ANY(picked)
    RETURNING request.album_batch_id
  ),
  counted AS (SELECT album_batch_id AS id, count(*)::int AS requests FROM changed WHERE album_batch_id IS NOT NULL GROUP BY 1),
  locked AS MATERIALIZED (
    SELECT batch.id, counted.requests FROM album_ingestion_batches AS batch JOIN counted ON counted.id = batch.id
    ORDER BY batch.id FOR UPDATE OF batch
  ),
  corrected AS (
    UPDATE album_ingestion_batches AS batch SET dead_count = greatest(0, batch.dead_count - locked.requests)
    FROM locked WHERE batch.id = locked.id
  )
  SELECT count(*) INTO rows FROM changed;

  IF rows = 0 AND refused > 0 THEN PERFORM ingestion_action_refused(refusals); END IF;
  action_id := ingestion_action_recorded('requeue', reason, actor,
    jsonb_strip_nulls(jsonb_build_object('ids', ids, 'isrcs', isrcs, 'filter', filter, 'force', force)), rows, picked, continues);
  PERFORM pg_notify('ingestion_outbox', '');
END
$$;
--> statement-breakpoint
COMMENT ON FUNCTION ingestion_outbox_requeue IS
  'Sends dead requests again, their attempts counted anew: by ids, by isrcs or by a filter, with a reason. With force they pass the dedupe window and the index. next is not null where more match: call again with after => next, continues => action_id.';
--> statement-breakpoint
CREATE FUNCTION ingestion_outbox_discard(
  ids bigint[] DEFAULT NULL, isrcs text[] DEFAULT NULL, filter jsonb DEFAULT NULL, reason text DEFAULT NULL,
  dry_run boolean DEFAULT false, at_most integer DEFAULT 10000, after text DEFAULT NULL,
  continues bigint DEFAULT NULL, actor text DEFAULT NULL,
  OUT action_id bigint, OUT rows integer, OUT refused integer, OUT refusals jsonb, OUT next text
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
#variable_conflict use_variable
DECLARE
  picked bigint[];
BEGIN
  PERFORM ingestion_action_reason_checked(reason);
  SELECT found.* INTO picked, refused, refusals, next
  FROM ingestion_outbox_pick('discard', '{dead,pending}', ids, isrcs, filter, after, at_most) AS found;
  rows := cardinality(picked);
  IF dry_run THEN RETURN; END IF;
  SELECT locked.* INTO picked, refused, refusals
  FROM ingestion_outbox_lock('{dead,pending}', picked, refused, refusals) AS locked;

  WITH before AS (
    SELECT request.id, request.isrc, request.album_batch_id, request.status
    FROM ingestion_outbox AS request WHERE request.id = ANY(picked)
  ),
  changed AS (
    UPDATE ingestion_outbox AS request
    SET status = 'skipped', reason = 'discarded', settled_at = now(), last_error = 'discarded: ' || btrim(reason)
    FROM before WHERE request.id = before.id
    RETURNING before.album_batch_id, before.status
  ),
  counted AS (
    SELECT album_batch_id AS id, count(*)::int AS requests, (count(*) FILTER (WHERE status = 'dead'))::int AS dead
    FROM changed WHERE album_batch_id IS NOT NULL GROUP BY 1
  ),
  locked AS MATERIALIZED (
    SELECT batch.id, counted.requests, counted.dead
    FROM album_ingestion_batches AS batch JOIN counted ON counted.id = batch.id ORDER BY batch.id FOR UPDATE OF batch
  ),
  corrected AS (
    UPDATE album_ingestion_batches AS batch
    SET skipped_count = batch.skipped_count + locked.requests, dead_count = greatest(0, batch.dead_count - locked.dead)
    FROM locked WHERE batch.id = locked.id
  )
  SELECT count(*) INTO rows FROM changed;

  IF rows = 0 AND refused > 0 THEN PERFORM ingestion_action_refused(refusals); END IF;
  action_id := ingestion_action_recorded('discard', reason, actor,
    jsonb_strip_nulls(jsonb_build_object('ids', ids, 'isrcs', isrcs, 'filter', filter)), rows, picked, continues);
END
$$;
--> statement-breakpoint
COMMENT ON FUNCTION ingestion_outbox_discard IS
  'Puts requests away that are dead, or pending and not to be sent, as skipped with the reason discarded: by ids, by isrcs or by a filter (of dead ones, unless it names the status pending), with a reason.';
--> statement-breakpoint
CREATE FUNCTION ingestion_outbox_reschedule(
  ids bigint[] DEFAULT NULL, isrcs text[] DEFAULT NULL, filter jsonb DEFAULT NULL, reason text DEFAULT NULL,
  at timestamptz DEFAULT now(), dry_run boolean DEFAULT false, at_most integer DEFAULT 10000, after text DEFAULT NULL,
  continues bigint DEFAULT NULL, actor text DEFAULT NULL,
  OUT action_id bigint, OUT rows integer, OUT refused integer, OUT refusals jsonb, OUT next text
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
#variable_conflict use_variable
DECLARE
  picked bigint[];
BEGIN
  PERFORM ingestion_action_reason_checked(reason);
  IF at IS NULL OR at < now() - interval '1 minute' THEN
    RAISE invalid_parameter_value USING MESSAGE = format('%s has passed: name a moment to come, or now()', coalesce(at::text, 'the moment'));
  END IF;
  IF at > now() + interval '1 year' THEN
    RAISE invalid_parameter_value USING MESSAGE = format('%s is more than a year away: discard what is not to be sent', at);
  END IF;
  SELECT found.* INTO picked, refused, refusals, next
  FROM ingestion_outbox_pick('reschedule', '{pending}', ids, isrcs, filter, after, at_most) AS found;
  rows := cardinality(picked);
  IF dry_run THEN RETURN; END IF;
  SELECT locked.* INTO picked, refused, refusals
  FROM ingestion_outbox_lock('{pending}', picked, refused, refusals) AS locked;

  UPDATE ingestion_outbox AS request SET available_at = at WHERE request.id = ANY(picked);
  GET DIAGNOSTICS rows = ROW_COUNT;

  IF rows = 0 AND refused > 0 THEN PERFORM ingestion_action_refused(refusals); END IF;
  action_id := ingestion_action_recorded('reschedule', reason, actor,
    jsonb_strip_nulls(jsonb_build_object('ids', ids, 'isrcs', isrcs, 'filter', filter, 'at', at)), rows, picked, continues);
  IF at <= now() THEN PERFORM pg_notify('ingestion_outbox', ''); END IF;
END
$$;
--> statement-breakpoint
COMMENT ON FUNCTION ingestion_outbox_reschedule IS
  'Sets when pending requests may be attempted next: at => now() at once, or a later moment, at most a year away. By ids, by isrcs or by a filter, with a reason.';
--> statement-breakpoint
CREATE FUNCTION ingestion_outbox_release_stuck(
  ids bigint[] DEFAULT NULL, isrcs text[] DEFAULT NULL, filter jsonb DEFAULT NULL, reason text DEFAULT NULL,
  force boolean DEFAULT false, dry_run boolean DEFAULT false, actor text DEFAULT NULL,
  OUT action_id bigint, OUT rows integer, OUT refused integer, OUT refusals jsonb, OUT next text
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
#variable_conflict use_variable
DECLARE
  picked bigint[] := '{}';
  wanted smallint[];
  freed smallint[];
BEGIN
  PERFORM ingestion_action_reason_checked(reason);
  refused := 0; refusals := '[]';
  IF num_nonnulls(ids, isrcs, filter) = 0 THEN
    SELECT array_agg(slot.slot) INTO wanted FROM relay_slots AS slot WHERE slot.owner IS NOT NULL;
  ELSE
    SELECT found.* INTO picked, refused, refusals, next
    FROM ingestion_outbox_pick('release_stuck', '{pending}', ids, isrcs, filter, NULL, 100000) AS found;
    SELECT array_agg(DISTINCT recording_slot(request.isrc)) INTO wanted
    FROM ingestion_outbox AS request WHERE request.id = ANY(picked);
  END IF;

  SELECT coalesce(array_agg(slot.slot) FILTER (WHERE why IS NULL), '{}'), refused + count(why),
    refusals || coalesce(jsonb_agg(jsonb_build_object('slot', slot.slot, 'why', why) ORDER BY slot.slot) FILTER (WHERE why IS NOT NULL), '[]')
  INTO freed, refused, refusals
  FROM (SELECT held.* FROM relay_slots AS held WHERE held.slot = ANY(wanted)) AS slot
  LEFT JOIN relays AS relay ON relay.id = slot.owner,
  LATERAL (SELECT CASE
    WHEN slot.owner IS NULL THEN format('slot %s is free already: a relay that runs takes it within its lease', slot.slot)
    WHEN force THEN NULL
    WHEN relay.id IS NULL OR relay.state = 'stopped' THEN NULL
    WHEN slot.lease_end < now() - interval '10 seconds' THEN NULL
    -- No lease is longer than an hour. A later end was written by hand, or by a clock that was wrong.
    WHEN slot.lease_end > now() + interval '1 hour' THEN NULL
    WHEN relay.last_heartbeat < now() - interval '1 minute' THEN NULL
    ELSE format('slot %s is held by the relay %s on %s, which renewed its lease %s s ago: it is not stuck',
      slot.slot, relay.id, relay.host, round(extract(epoch FROM now() - relay.last_heartbeat)::numeric, 1))
  END) AS judged (why);

  IF dry_run THEN
    rows := cardinality(freed);
    RETURN;
  END IF;
  -- The former owner's epoch is over: what it still writes changes nothing.
  UPDATE relay_slots AS slot SET owner = NULL, lease_end = '-infinity', epoch = slot.epoch + 1 WHERE slot.slot = ANY(freed);
  GET DIAGNOSTICS rows = ROW_COUNT;
  IF rows = 0 AND refused > 0 THEN PERFORM ingestion_action_refused(refusals); END IF;
  action_id := ingestion_action_recorded('release_stuck', reason, actor,
    jsonb_strip_nulls(jsonb_build_object('ids', ids, 'isrcs', isrcs, 'filter', filter, 'force', nullif(force, false), 'slots', freed)),
    rows, picked, NULL);
  PERFORM pg_notify('ingestion_outbox', '');
END
$$;
--> statement-breakpoint
COMMENT ON FUNCTION ingestion_outbox_release_stuck IS
  'Frees slots whose relay is gone or hangs, so that another takes them: those of the named requests, or all. rows counts slots. A slot whose relay is alive is refused, unless force.';
--> statement-breakpoint
CREATE FUNCTION ingestion_outbox_pause(reason text, actor text DEFAULT NULL) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
#variable_conflict use_variable
DECLARE
  since timestamptz;
BEGIN
  PERFORM ingestion_action_reason_checked(reason);
  UPDATE relay_control AS control
  SET paused_at = now(), paused_by = coalesce(nullif(btrim(actor), ''), session_user), paused_reason = btrim(reason)
  WHERE control.paused_at IS NULL RETURNING control.paused_at INTO since;
  IF since IS NULL THEN
    RAISE object_not_in_prerequisite_state USING MESSAGE = (
      SELECT format('sending is paused already, since %s by %s: %s', control.paused_at::timestamptz(0), control.paused_by, control.paused_reason)
      FROM relay_control AS control);
  END IF;
  PERFORM ingestion_action_recorded('pause', reason, actor, '{}', 0, '{}', NULL);
  PERFORM pg_notify('ingestion_outbox', '');
  RETURN since;
END
$$;
--> statement-breakpoint
COMMENT ON FUNCTION ingestion_outbox_pause IS
  'Stops all relays from sending, until ingestion_outbox_resume(). Additions go on, and their requests wait.';
--> statement-breakpoint
CREATE FUNCTION ingestion_outbox_resume(reason text, actor text DEFAULT NULL) RETURNS interval
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
#variable_conflict use_variable
DECLARE
  paused_for interval;
BEGIN
  PERFORM ingestion_action_reason_checked(reason);
  SELECT now() - control.paused_at INTO paused_for FROM relay_control AS control FOR UPDATE;
  IF paused_for IS NULL THEN
    RAISE object_not_in_prerequisite_state USING MESSAGE = 'sending is not paused';
  END IF;
  UPDATE relay_control AS control SET paused_at = NULL, paused_by = NULL, paused_reason = NULL;
  PERFORM ingestion_action_recorded('resume', reason, actor, '{}', 0, '{}', NULL);
  PERFORM pg_notify('ingestion_outbox', '');
  RETURN paused_for;
END
$$;
--> statement-breakpoint
COMMENT ON FUNCTION ingestion_outbox_resume IS 'Lets the relays send again. Returns how long they were paused.';
