import { badFormat, QdrantError, wrongInput } from './answers.ts';

const distances = ['Cosine', 'Euclid', 'Dot', 'Manhattan'];

/** The parameters of one vector, as the collection was created with them. */
export type VectorParams = { size: number; distance: string; [more: string]: unknown };
/** One nameless vector a point, or named ones. */
export type VectorsConfig = VectorParams | Record<string, VectorParams>;
/** Names of sparse vectors; their parameters are only repeated. */
export type SparseVectorsConfig = Record<string, Record<string, unknown>>;
/** Sorted by index, each index once. */
export type SparseVector = { indices: number[]; values: number[] };
/** A point's vector, or its vectors by name. */
export type PointVector = number[] | Record<string, number[] | SparseVector>;
/** What a collection was created with. */
export type VectorNames = { vectors: VectorsConfig; sparse_vectors: SparseVectorsConfig };

/** @throws {QdrantError} 400 for parameters that make no vector */
export function readVectorsConfig(raw: unknown = {}): VectorsConfig {
  if (!isObject(raw)) throw badFormat('vectors: expected an object');
  if ('size' in raw || 'distance' in raw) return readParams(raw);
  return Object.fromEntries(Object.entries(raw).map(([name, params]) => [name, readParams(params)]));
}

/** @throws {QdrantError} 400 for what is no map of names to parameters */
export function readSparseConfig(raw: unknown = {}): SparseVectorsConfig {
  if (!isObject(raw) || !Object.values(raw).every(isObject)) {
    throw badFormat('sparse_vectors: expected a map of parameters');
  }
  return raw as SparseVectorsConfig;
}

function readParams(raw: unknown): VectorParams {
  if (!isObject(raw)) throw badFormat('vectors: expected an object');
  const { size, distance } = raw;
  if (!Number.isInteger(size) || (size as number) < 1) throw badFormat('vectors.size: expected 1 or more');
  if (!distances.includes(distance as string)) {
    throw badFormat(`unknown variant \`${distance}\`, expected one of \`${distances.join('`, `')}\``);
  }
  return raw as VectorParams;
}

/**
 * Reads a point's vectors and makes them as they are stored: those compared by cosine are brought to length 1,
 * as Qdrant does, and come back so; sparse ones come back sorted by their indices. A named vector may be left out.
 *
 * @throws {QdrantError} 400 for a vector that the collection does not know or of another length, 422 for a sparse
 * one whose indices are not unique or not as many as its values
 */
export function readVector(raw: unknown, names: VectorNames): PointVector {
  if (Array.isArray(raw)) return readDense(raw, '', names.vectors);
  if (!isObject(raw)) throw noVector();
  return Object.fromEntries(
    Object.entries(raw).map(([name, vector]) => [
      name,
      Object.hasOwn(names.sparse_vectors, name) ? readSparse(vector) : readDense(vector, name, names.vectors),
    ]),
  );
}

function readDense(raw: unknown, name: string, config: VectorsConfig): number[] {
  const params = paramsOf(config, name);
  if (params === undefined) throw wrongInput(`Not existing vector name error: ${name}`);
  if (!areNumbers(raw)) throw noVector();
  if (raw.length !== params.size) {
    throw wrongInput(`Vector dimension error: expected dim: ${params.size}, got ${raw.length}`);
  }
  return params.distance === 'Cosine' ? normalised(raw) : raw;
}

function readSparse(raw: unknown): SparseVector {
  if (!isObject(raw) || !areNumbers(raw.indices) || !areNumbers(raw.values)) throw noVector();
  const { indices, values } = raw;
  if (!indices.every(index => Number.isInteger(index) && index >= 0 && index < 2 ** 32)) throw noVector();
  if (indices.length !== values.length) throw invalid('values: must be the same length as indices');
  if (new Set(indices).size !== indices.length) throw invalid('indices: must be unique');
  const entries = indices.map((index, place) => [index, values[place] as number] as const);
  entries.sort(([one], [other]) => one - other);
  return { indices: entries.map(([index]) => index), values: entries.map(([, value]) => value) };
}

function paramsOf(config: VectorsConfig, name: string): VectorParams | undefined {
  const nameless = typeof config.size === 'number';
  if (nameless) return name === '' ? (config as VectorParams) : undefined;
  return Object.hasOwn(config, name) ? (config as Record<string, VectorParams>)[name] : undefined;
}

/** Nine digits are what a 32-bit float can hold; more would only lengthen the file. */
function normalised(vector: number[]): number[] {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return length === 0 ? vector : vector.map(value => Number((value / length).toPrecision(9)));
}

function noVector(): QdrantError {
  return badFormat('data did not match any variant of untagged enum VectorStruct');
}

function invalid(problem: string): QdrantError {
  return new QdrantError(422, `Validation error in JSON body: [${problem}]`);
}

function areNumbers(raw: unknown): raw is number[] {
  return Array.isArray(raw) && raw.every(value => typeof value === 'number');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
