import { badFormat, notOffered } from './answers.ts';
import type { Collection, Point } from './collections.ts';
import { type PointId, readPointId } from './pointId.ts';
import { type PointVector, readVector, type VectorsConfig } from './vectors.ts';

/** What a retrieval asks for: `true`, `false`, or the names of fields or vectors. */
type Selection = boolean | string[];
export type Retrieval = { ids: PointId[]; withPayload: Selection; withVector: Selection };
type Found = { id: PointId; payload?: Record<string, unknown>; vector?: PointVector };

/** @throws {QdrantError} 400 for an id that is none, 501 for a selection of nested fields */
export function readRetrieval(body: Record<string, unknown>): Retrieval {
  const { ids, with_payload, with_vector, with_vectors } = body;
  if (!Array.isArray(ids)) throw badFormat('missing field `ids`');
  return {
    ids: ids.map(readId),
    withPayload: readSelection(with_payload, true),
    withVector: readSelection(with_vector ?? with_vectors, false),
  };
}

/** The points there are, in the order asked for, each once. */
export function retrieve({ points }: Collection, { ids, withPayload, withVector }: Retrieval): Found[] {
  const found: Found[] = [];
  for (const id of new Set(ids)) {
    const point = points.get(id);
    if (point === undefined) continue;
    const answer: Found = { id };
    if (withPayload !== false) answer.payload = selected(point.payload, withPayload);
    if (withVector !== false) {
      answer.vector = Array.isArray(point.vector) ? point.vector : selected(point.vector, withVector);
    }
    found.push(answer);
  }
  return found;
}

/** @throws {QdrantError} 400 for an id or a vector that is none, 501 for points given in columns (`batch`) */
export function readPoints(body: Record<string, unknown>, vectors: VectorsConfig): Point[] {
  if ('batch' in body) throw notOffered('upserts by `batch`');
  if (!Array.isArray(body.points)) throw badFormat('missing field `points`');
  return body.points.map(raw => {
    if (typeof raw !== 'object' || raw === null) throw badFormat('expected struct PointStruct');
    const id = readId(raw.id);
    return { id, vector: readVector(raw.vector ?? raw.vectors, vectors), payload: readPayload(raw.payload) };
  });
}

function readId(raw: unknown): PointId {
  const id = readPointId(raw);
  if (id !== null) return id;
  const shown = typeof raw === 'string' ? raw : JSON.stringify(raw);
  const valid = 'valid values are either an unsigned integer or a UUID';
  throw badFormat(`value ${shown} is not a valid point ID, ${valid}`);
}

function readPayload(raw: unknown): Record<string, unknown> {
  if (raw === undefined || raw === null) return {};
  if (typeof raw !== 'object' || Array.isArray(raw)) throw badFormat('payload: expected a map');
  return raw as Record<string, unknown>;
}

function readSelection(raw: unknown, otherwise: boolean): Selection {
  if (raw === undefined || raw === null) return otherwise;
  if (typeof raw === 'boolean') return raw;
  if (!Array.isArray(raw)) throw notOffered('selections by `include` and `exclude`');
  if (raw.some(name => /[.[]/.test(name))) throw notOffered('selections of nested fields');
  return raw;
}

function selected<Value>(all: Record<string, Value>, selection: true | string[]): Record<string, Value> {
  if (selection === true) return all;
  return Object.fromEntries(Object.entries(all).filter(([name]) => selection.includes(name)));
}
