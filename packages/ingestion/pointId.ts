import { hash } from 'node:crypto';
import { normaliseIsrc } from './isrc.ts';

/** The RFC 4122 DNS namespace as text; the worker hashes the same characters in front of the ISRC. */
const namespace = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';

/**
 * The id of a recording's point in Qdrant: the first 32 hex digits of SHA-256 over namespace and normalised
 * ISRC, grouped like a UUID. It is not a UUID of any version, but Qdrant asks only for the shape.
 *
 * @param isrc in any spelling
 */
export function hashIsrcToUuid(isrc: string): string {
  const hex = hash('sha256', namespace + normaliseIsrc(isrc), 'hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}
