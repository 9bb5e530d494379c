-- Other services insert with a search_path of their own, which a function would follow to what it names. From here on
-- each function names its schema itself: by this setting, or by a body that is bound when it is made (RETURN, BEGIN
-- ATOMIC). `schema.int.test.ts` holds new ones to it.
ALTER FUNCTION normalise_outbox_isrc() SET search_path FROM CURRENT;
--> statement-breakpoint
ALTER FUNCTION refuse_outbox_status(text) SET search_path FROM CURRENT;
