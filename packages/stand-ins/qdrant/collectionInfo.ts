import type { Collection } from './collections.ts';

/**
 * What `GET /collections/{name}` says of a collection: its vectors and payload indexes as they were created, and for
 * the rest the defaults of Qdrant 1.19 on one node.
 */
export function describeCollection({ config, payloadIndexes, points }: Collection) {
  const withField = (field: string) =>
    [...points.values()].filter(point => point.payload[field] != null).length;
  return {
    status: 'green',
    optimizer_status: 'ok',
    indexed_vectors_count: 0,
    points_count: points.size,
    segments_count: 1,
    config: {
      params: {
        vectors: config.vectors,
        ...(Object.keys(config.sparse_vectors).length > 0 && { sparse_vectors: config.sparse_vectors }),
        shard_number: 1,
        replication_factor: 1,
        write_consistency_factor: 1,
        on_disk_payload: true,
      },
      hnsw_config: {
        m: 16,
        ef_construct: 100,
        full_scan_threshold: 10_000,
        max_indexing_threads: 0,
        on_disk: false,
      },
      optimizer_config: {
        deleted_threshold: 0.2,
        vacuum_min_vector_number: 1000,
        default_segment_number: 0,
        max_segment_size: null,
        memmap_threshold: null,
        indexing_threshold: 10_000,
        flush_interval_sec: 5,
        max_optimization_threads: null,
      },
      wal_config: { wal_capacity_mb: 32, wal_segments_ahead: 0, wal_retain_closed: 1 },
      quantization_config: null,
    },
    payload_schema: Object.fromEntries(
      [...payloadIndexes].map(([field, schema]) => [field, { data_type: schema, points: withField(field) }]),
    ),
    update_queue: { length: 0 },
  };
}
