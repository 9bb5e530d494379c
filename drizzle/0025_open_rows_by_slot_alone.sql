-- The index of open rows by slot says "open" by the status, where ingestion_outbox_open says it by settled_at, and so do the
-- statements. When VACUUM or ANALYZE had seen no open row, PostgreSQL took both for equally cheap and chose the other one: a
-- relay then walked all open rows for each of its slots. The view ingestion_recording and the function ingestion_outbox_pick
-- are otherwise as in 0011_operate_views_and_functions.sql and 0021_actions_pick_without_walking.sql.
DROP INDEX "ingestion_outbox_open_by_slot";
--> statement-breakpoint
CREATE INDEX "ingestion_outbox_open_by_slot" ON "ingestion_outbox" USING btree (recording_slot("isrc"),"available_at","id") WHERE "ingestion_outbox"."status" IN ('pending', 'in_flight');
--> statement-breakpoint
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);
--> statement-breakpoint
CREATE OR REPLACE VIEW ingestion_recording AS
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
  SELECT isrc FROM ingestion_outbox WHERE status IN ('pending', 'in_flight')
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
    WHERE recording_slot(open.isrc) = recording_slot(known.isrc) AND open.isrc = known.isrc
      AND open.status IN ('pending', 'in_flight')
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
CREATE OR REPLACE FUNCTION ingestion_outbox_pick(
  action text, statuses text[], ids bigint[], isrcs text[], filter jsonb, after text, at_most integer,
  OUT picked bigint[], OUT refused integer, OUT refusals jsonb, OUT next text
)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
#variable_conflict use_column
DECLARE
  given integer := num_nonnulls(ids, isrcs, filter);
  wanted text[];
  -- A step looks at so many; what fits may be rare among them.
  walk constant integer := greatest(20000, at_most);
  after_moment timestamptz := coalesce(split_part(after, '|', 1)::timestamptz, '-infinity');
  after_id bigint := coalesce(nullif(split_part(after, '|', 2), '')::bigint, 0);
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
        WHERE open.status = 'pending' AND recording_slot(open.isrc) = recording_slot(asked.isrc) AND open.isrc = asked.isrc
          AND 'pending' = ANY(statuses)
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
      SELECT coalesce(array_agg(id), '{}') INTO picked FROM (
        SELECT id FROM (
          SELECT request.id, request.created_at, ingestion_outbox_matches(request, filter) AS fits
          FROM ingestion_outbox AS request
          WHERE request.status = 'dead' AND (request.created_at, request.id) > (after_moment, after_id)
          ORDER BY request.created_at, request.id LIMIT walk
        ) AS walked
        WHERE fits ORDER BY created_at, id LIMIT at_most
      ) AS fitting;
      IF cardinality(picked) < at_most THEN
        SELECT request.created_at || '|' || request.id INTO next FROM ingestion_outbox AS request
        WHERE request.status = 'dead' AND (request.created_at, request.id) > (after_moment, after_id)
        ORDER BY request.created_at, request.id OFFSET walk - 1 LIMIT 1;
      END IF;
    ELSE
      SELECT coalesce(array_agg(id), '{}') INTO picked FROM (
        SELECT id FROM (
          SELECT request.id, request.created_at, request.status = 'pending' AND ingestion_outbox_matches(request, filter) AS fits
          FROM ingestion_outbox AS request
          WHERE request.settled_at IS NULL AND (request.created_at, request.id) > (after_moment, after_id)
          ORDER BY request.created_at, request.id LIMIT walk
        ) AS walked
        WHERE fits ORDER BY created_at, id LIMIT at_most
      ) AS fitting;
      IF cardinality(picked) < at_most THEN
        SELECT request.created_at || '|' || request.id INTO next FROM ingestion_outbox AS request
        WHERE request.settled_at IS NULL AND (request.created_at, request.id) > (after_moment, after_id)
        ORDER BY request.created_at, request.id OFFSET walk - 1 LIMIT 1;
      END IF;
    END IF;
    IF cardinality(picked) = at_most THEN
      SELECT request.created_at || '|' || request.id INTO next FROM ingestion_outbox AS request
      WHERE request.id = picked[at_most];
    END IF;
  END IF;
END
$$;
