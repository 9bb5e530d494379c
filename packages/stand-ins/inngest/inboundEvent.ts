/** An event as a sender gives it, its types checked and its defaults filled in. */
export type InboundEvent = {
  /** The sender's own id, '' where it gave none. */
  id: string;
  name: string;
  data: Record<string, unknown> | null;
  /** Milliseconds; a future one delays the run. */
  ts: number;
  v?: string;
  user?: Record<string, unknown>;
};

/** Why the server refuses an event, in its words. The request ends there; the events before are in. */
export class RefusedEvent extends Error {}

/** 1980-01-01 and 2100-01-01, between which `Event.Validate` wants a `ts`. */
const earliest = Date.UTC(1980, 0, 1);
const latest = Date.UTC(2100, 0, 1);

/**
 * Checks one event as `event.NormalizeInbound` does. The name's length is not checked: the open-source
 * server does not, whatever the 256 characters in its documentation.
 *
 * @param now ms, the `ts` of an event that has none
 * @throws {RefusedEvent}
 */
export function readInbound(raw: unknown, now: number): InboundEvent {
  if (kindOf(raw) !== 'object' && raw !== null) {
    throw new RefusedEvent(`json: cannot unmarshal ${kindOf(raw)} into Go value of type event.raw`);
  }
  const { id, name, data, ts, v, user } = (raw ?? {}) as Record<string, unknown>;
  expectKind('id', id, 'string', 'string');
  expectKind('name', name, 'string', 'string');
  expectKind('data', data, 'object', 'map[string]interface {}');
  expectKind('ts', ts, 'number', 'int64');
  expectKind('v', v, 'string', 'string');
  expectKind('user', user, 'object', 'map[string]interface {}');
  if (typeof ts === 'number' && !Number.isInteger(ts)) {
    throw new RefusedEvent(`json: cannot unmarshal number ${ts} into Go struct field raw.ts of type int64`);
  }

  const event = { id: id ?? '', name: name ?? '', data: data ?? null, ts: ts || now } as InboundEvent;
  if (v) event.v = v as string;
  if (user) event.user = user as Record<string, unknown>;
  if (event.name.toLowerCase().startsWith('inngest/')) {
    throw new RefusedEvent(`event name is reserved for internal use: ${event.name}`);
  }
  if (event.name === '') throw new RefusedEvent('event name is empty');
  if (event.ts < earliest) throw new RefusedEvent('timestamp is before Jan 1, 1980');
  if (event.ts > latest) throw new RefusedEvent('timestamp is after Jan 1, 2100');
  if (event.data !== null && '_inngest' in event.data) {
    const { _inngest, ...kept } = event.data;
    event.data = kept;
  }
  return event;
}

type Kind = 'string' | 'number' | 'bool' | 'array' | 'object' | 'null';

/** Go's name for the kind of a JSON value. */
function kindOf(value: unknown): Kind {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value as Kind;
}

/** Null stands for an absent field, in any of them. */
function expectKind(field: string, value: unknown, kind: Kind, goType: string): void {
  const found = kindOf(value);
  if (found === kind || found === 'null') return;
  throw new RefusedEvent(
    `json: cannot unmarshal ${found} into Go struct field raw.${field} of type ${goType}`,
  );
}
