-- Finds what an action changes. It ends as soon as it has enough: before, each step of some hundred rows looked at 100,000
-- requests, whatever fitted.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);
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
