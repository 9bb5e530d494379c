-- A backfill records its requests with the action that it began, the first 10,000 of them. Each further step wrote all of
-- them anew, 80 KB a step; now it leaves them as they are.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);
--> statement-breakpoint
CREATE OR REPLACE FUNCTION ingestion_action_recorded(
  action text, reason text, actor text, selection jsonb, rows integer, outbox_ids bigint[], continues bigint
) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
#variable_conflict use_variable
DECLARE
  recorded bigint;
BEGIN
  IF continues IS NOT NULL THEN
    UPDATE ingestion_actions AS past SET rows = past.rows + rows,
      outbox_ids = CASE WHEN cardinality(past.outbox_ids) < 10000 THEN (past.outbox_ids || outbox_ids)[1:10000]
        ELSE past.outbox_ids END
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
