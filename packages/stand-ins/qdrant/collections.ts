import { openJournal } from '../journal.ts';
import type { PointId } from './pointId.ts';
import type { PointVector, VectorsConfig } from './vectors.ts';

export type Point = { id: PointId; vector: PointVector; payload: Record<string, unknown> };

/** What a collection was created with; only its vectors mean something here. */
export type CollectionConfig = { vectors: VectorsConfig; [more: string]: unknown };

export type Collection = {
  config: CollectionConfig;
  points: Map<PointId, Point>;
  /** Numbers the updates, from 0; Qdrant names the number in its answer. */
  operations: number;
};

/** A line of the file. */
type Change = { collection: string; config: CollectionConfig } | { collection: string; point: Point };

export type Collections = {
  get(name: string): Collection | undefined;
  create(name: string, config: CollectionConfig): void;
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
    if ('config' in change) collections.set(change.collection, emptyCollection(change.config));
    else collections.get(change.collection)?.points.set(change.point.id, change.point);
  }

  return {
    get: name => collections.get(name),
    create(name, config) {
      collections.set(name, emptyCollection(config));
      journal?.append([{ collection: name, config }]);
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
  return { config, points: new Map(), operations: 0 };
}

function size(collections: Map<string, Collection>): number {
  let points = 0;
  for (const collection of collections.values()) points += 1 + collection.points.size;
  return points;
}

function* current(collections: Map<string, Collection>): Generator<Change> {
  for (const [name, { config, points }] of collections) {
    yield { collection: name, config };
    for (const point of points.values()) yield { collection: name, point };
  }
}
