/** As Qdrant has it: an unsigned integer, or a UUID, here in its canonical spelling. */
export type PointId = number | string;

const hyphenated = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const simple = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/;
const wrapped = /^(?:urn:uuid:(.{36})|\{(.{36})\})$/;

/**
 * Reads a point id. A UUID may come in upper case, without hyphens, in braces or as a URN (Rust's
 * `Uuid::from_str`); it may be of any version or none.
 *
 * @returns null for what Qdrant does not accept
 */
export function readPointId(raw: unknown): PointId | null {
  if (typeof raw === 'number') return Number.isInteger(raw) && raw >= 0 ? raw : null;
  if (typeof raw !== 'string') return null;
  if (hyphenated.test(raw)) return raw;
  const [, urn, braced] = wrapped.exec(raw) ?? [];
  const text = (urn ?? braced ?? raw).toLowerCase();
  const id = text.replace(simple, '$1-$2-$3-$4-$5');
  return hyphenated.test(id) ? id : null;
}
