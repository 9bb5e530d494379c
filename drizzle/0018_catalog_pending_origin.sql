-- Who added the item: what TIDAL owes of it is requested in that name. Nothing validates the traceparent.
ALTER TABLE catalog_pending ADD COLUMN request_id uuid, ADD COLUMN traceparent text;
