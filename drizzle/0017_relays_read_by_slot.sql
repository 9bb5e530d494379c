CREATE INDEX "ingestion_outbox_open_by_slot" ON "ingestion_outbox" USING btree (recording_slot("isrc"),"available_at","id") WHERE "ingestion_outbox"."settled_at" IS NULL;
--> statement-breakpoint
-- What relays of the former design had in hand: their requests are due at once. Their ledger said "sent" before anything
-- was sent, so it is put back; the next attempt has the same event id, as its generation is one higher (rule R6).
-- Stop those relays before this is migrated: one that goes on sends beside a relay of the new design.
UPDATE ingestion_ledger AS ledger
SET generation = ledger.generation - 1, sent_at = ledger.prior_sent_at
FROM ingestion_outbox AS request
WHERE request.id = ledger.outbox_id AND request.isrc = ledger.isrc AND request.settled_at IS NULL
  AND ledger.sent_at IS DISTINCT FROM ledger.prior_sent_at;
--> statement-breakpoint
UPDATE ingestion_outbox SET status = 'pending', lease = NULL, available_at = least(available_at, now())
WHERE status = 'in_flight';
