import { openJournal } from '../journal.ts';
import type { PointId } from './pointId.ts';
import type { PointVector, VectorNames } from './vectors.ts';

export type Point = { id: PointId; vector: PointVector; payload: Record<string, unknown> };

/** What a collection was created with; only its vectors mean something here. */
export type CollectionConfig = VectorNames & { [more: string]: unknown };
/** Which payload fields have an index, and of which kind. Filters, which would use it, are not offered. */
export type PayloadIndex = { field: string; schema: string };

export type Collection = {
  config: CollectionConfig;
  payloadIndexes: Map<string, string>;
  points: Map<PointId, Point>;
  /** Numbers the updates, from 0; Qdrant names the number in its answer. */
  operations: number;
};

/** A line of the file. */
type Change = { collection: string } & (
  | { config: CollectionConfig }
  | { index: PayloadIndex }
  | { point: Point }
  | { deleted: true }
);

export type Collections = {
  get(name: string): Collection | undefined;
  create(name: string, config: CollectionConfig): void;
  /** @returns whether there was one */
  delete(name: string): boolean;
  /** @returns the number of the update */
  addIndex(name: string, collection: Collection, index: PayloadIndex): number;
  /** Puts the points in, over those of the same id. @returns the number of the update */
  upsert(name: string, collection: Collection, points: Point[]): number;
  close(): void;
};

/**
 * Keeps collections in memory and, where a file is named, in it: a line per collection and per upserted
 * point, written anew when most of them are out of date.
 *
 * @throws an error naming the file, when it cannot be read
 */
export function openCollections(file?: string): Collections {
  const { written, journal } =
    file === undefined ? { written: [], journal: null } : openJournal<Change>(file);
  const collections = new Map<string, Collection>();
  for (const change of written) {
    const collection = collections.get(change.collection);
    if ('config' in change) collections.set(change.collection, emptyCollection(change.config));
    else if ('index' in change) collection?.payloadIndexes.set(change.index.field, change.index.schema);
    else if ('point' in change) collection?.points.set(change.point.id, change.point);
    else collections.delete(change.collection);
  }

  return {
    get: name => collections.get(name),
    create(name, config) {
      collections.set(name, emptyCollection(config));
      journal?.append([{ collection: name, config }]);
    },
    delete(name) {
      if (!collections.delete(name)) return false;
      journal?.append([{ collection: name, deleted: true }]);
      return true;
    },
    addIndex(name, collection, index) {
      collection.payloadIndexes.set(index.field, index.schema);
      journal?.append([{ collection: name, index }]);
      return collection.operations++;
    },
    upsert(name, collection, points) {
      for (const point of points) collection.points.set(point.id, point);
      journal?.append(points.map(point => ({ collection: name, point })));
      if (journal !== null && journal.lines() > 2 * size(collections) + 1000)
        journal.rewrite(current(collections));
      return collection.operations++;
    },
    close: () => journal?.close(),
  };
}

function emptyCollection(config: CollectionConfig): Collection {
  // A file of an earlier version knows no sparse vectors.
  const { sparse_vectors = {}, ...rest } = config;
  return {
    config: { ...rest, sparse_vectors },
    payloadIndexes: new Map(),
    points: new Map(),
    operations: 0,
  };
}

function size(collections: Map<string, Collection>): number {
  let points = 0;
  for (const collection of collections.values()) points += 1 + collection.points.size;
  return points;
}

function* current(collections: Map<string, Collection>): Generator<Change> {
  for (const [name, { config, payloadIndexes, points }] of collections) {
    yield { collection: name, config };
    for (const [field, schema] of payloadIndexes) yield { collection: name, index: { field, schema } };
    for (const point of points.values()) yield { collection: name, point };
  }
}
