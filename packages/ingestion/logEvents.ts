/** What a log line about scheduling may say in its `event` field; the contract lists who says it and when. */
export type LogEvent =
  | 'ingestion_requested'
  | 'ingestion_scheduled'
  | 'ingestion_skipped'
  | 'ingestion_error'
  | 'validation_error'
  | 'album_track_listing_error'
  | 'album_ingestion_batch'
  | 'qdrant_error'
  | 'inngest_error';

/** The fields of a line about scheduling. Only those that apply are present. */
export type LogFields = {
  event: LogEvent;
  isrc?: string;
  trackTitle?: string;
  result?: 'success' | 'skipped' | 'error';
  reason?: string;
  error?: string;
  duration_ms?: number;
  total_tracks?: number;
  scheduled_count?: number;
  skipped_count?: number;
};
