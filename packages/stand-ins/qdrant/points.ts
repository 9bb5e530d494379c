import { badFormat, notOffered, QdrantError } from './answers.ts';
import type { Collection, Point } from './collections.ts';
import { type PointId, readPointId } from './pointId.ts';
import { type PointVector, readVector, type VectorNames } from './vectors.ts';

/** What a retrieval asks for: `true`, `false`, or the names of fields or vectors. */
type Selection = boolean | string[];
/** Which parts of a point are asked for. */
type Parts = { withPayload: Selection; withVector: Selection };
export type Retrieval = Parts & { ids: PointId[] };
/** A page of all points, in the order of their ids. */
export type Scroll = Parts & { limit: number; offset: PointId | null };
type Found = { id: PointId; payload?: Record<string, unknown>; vector?: PointVector };

/** @throws {QdrantError} 400 for an id that is none, 501 for a selection of nested fields */
export function readRetrieval(body: Record<string, unknown>): Retrieval {
  const { ids } = body;
  if (!Array.isArray(ids)) throw badFormat('missing field `ids`');
  return { ids: ids.map(readId), ...readParts(body) };
}

/** @throws {QdrantError} 400 for an offset that is no id, 422 for a limit below 1, 501 for filters and orders */
export function readScroll(body: Record<string, unknown>): Scroll {
  const { limit = 10, offset = null, filter = null, order_by = null } = body;
  if (filter !== null) throw notOffered('filters');
  if (order_by !== null) throw notOffered('scrolling in another order');
  if (!Number.isInteger(limit)) throw badFormat('limit: expected a whole number');
  if ((limit as number) < 1) {
    throw new QdrantError(
      422,
      'Validation error in JSON body: [limit: value 0 invalid, must be 1 or larger]',
    );
  }
  return { limit: limit as number, offset: offset === null ? null : readId(offset), ...readParts(body) };
}

function readParts({ with_payload, with_vector, with_vectors }: Record<string, unknown>): Parts {
  return {
    withPayload: readSelection(with_payload, true),
    withVector: readSelection(with_vector ?? with_vectors, false),
  };
}

/** The points there are, in the order asked for, each once. */
export function retrieve({ points }: Collection, { ids, ...parts }: Retrieval): Found[] {
  return [...new Set(ids)].flatMap(id => {
    const point = points.get(id);
    return point === undefined ? [] : [partsOf(point, parts)];
  });
}

/** The points from the offset on; and the id at which the next page begins, null after the last. */
export function scroll({ points }: Collection, { limit, offset, ...parts }: Scroll) {
  const ids = [...points.keys()].sort(compareIds);
  const start = offset === null ? 0 : ids.findIndex(id => compareIds(id, offset) >= 0);
  const page = start === -1 ? [] : ids.slice(start, start + limit);
  return {
    points: page.map(id => partsOf(points.get(id) as Point, parts)),
    next_page_offset: (start !== -1 && ids[start + limit]) || null,
  };
}

/** Numbers first, then UUIDs by their bytes. */
function compareIds(one: PointId, other: PointId): number {
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  if (typeof one !== typeof other) return typeof one === 'number' ? -1 : 1;
  return one < other ? -1 : one === other ? 0 : 1;
}

function partsOf(point: Point, { withPayload, withVector }: Parts): Found {
  const found: Found = { id: point.id };
  if (withPayload !== false) found.payload = selected(point.payload, withPayload);
  if (withVector !== false) {
    found.vector = Array.isArray(point.vector) ? point.vector : selected(point.vector, withVector);
  }
  return found;
}

/** @throws {QdrantError} 400 for an id or a vector that is none, 501 for points given in columns (`batch`) */
export function readPoints(body: Record<string, unknown>, names: VectorNames): Point[] {
  if ('batch' in body) throw notOffered('upserts by `batch`');
  if (!Array.isArray(body.points)) throw badFormat('missing field `points`');
  return body.points.map(raw => {
    if (typeof raw !== 'object' || raw === null) throw badFormat('expected struct PointStruct');
    const id = readId(raw.id);
    return {
      id,
      vector: readVector(raw.vector ?? raw.vectors, names),
      payload: readPayload(raw.payload),
    };
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
