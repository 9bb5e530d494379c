import { badFormat, wrongInput } from './answers.ts';

const distances = ['Cosine', 'Euclid', 'Dot', 'Manhattan'];

/** The parameters of one vector, as the collection was created with them. */
export type VectorParams = { size: number; distance: string; [more: string]: unknown };
/** One nameless vector a point, or named ones. */
export type VectorsConfig = VectorParams | Record<string, VectorParams>;
/** A point's vector, or its vectors by name. */
export type PointVector = number[] | Record<string, number[]>;

/** @throws {QdrantError} 400 for parameters that make no vector */
export function readVectorsConfig(raw: unknown = {}): VectorsConfig {
  if (!isObject(raw)) throw badFormat('vectors: expected an object');
  if ('size' in raw || 'distance' in raw) return readParams(raw);
  return Object.fromEntries(Object.entries(raw).map(([name, params]) => [name, readParams(params)]));
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
 * as Qdrant does, and come back so.
 *
 * @throws {QdrantError} 400 for a vector that the collection does not know or of another length
 */
export function readVector(raw: unknown, config: VectorsConfig): PointVector {
  if (Array.isArray(raw)) return readOne(raw, '', config);
  if (!isObject(raw)) throw badFormat('data did not match any variant of untagged enum VectorStruct');
  return Object.fromEntries(
    Object.entries(raw).map(([name, vector]) => [name, readOne(vector, name, config)]),
  );
}

function readOne(raw: unknown, name: string, config: VectorsConfig): number[] {
  const params = paramsOf(config, name);
  if (params === undefined) throw wrongInput(`Not existing vector name error: ${name}`);
  if (!Array.isArray(raw) || !raw.every(value => typeof value === 'number')) {
    throw badFormat('data did not match any variant of untagged enum VectorStruct');
  }
  if (raw.length !== params.size) {
    throw wrongInput(`Vector dimension error: expected dim: ${params.size}, got ${raw.length}`);
  }
  return params.distance === 'Cosine' ? normalised(raw) : raw;
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

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
