import { RefusedEvent } from './inboundEvent.ts';

/** `AbsoluteMaxEventSize` of the open-source server, in bytes. */
export const maxEventBytes = 3 * 1024 * 1024;
/** `MaxEvents` of the open-source server, in one request. */
export const maxEvents = 5_000;

/**
 * Reads a request's body event by event, as `pkg/eventstream` does: one object, or an array of whatever.
 * Like the server it takes an empty body for no events, and an array that is never closed for a whole one.
 * Malformed JSON is described in Node's words and not in Go's.
 *
 * @throws {RefusedEvent} when the caller asks for an event that cannot be read; those before it were handed out
 */
export function* readEvents(body: Buffer): Generator<unknown> {
  const whole = body.length <= maxEventBytes ? parsed(body) : undefined;
  if (Array.isArray(whole)) {
    // All but the first 5,000 are read by the server, too, before it says that there are too many.
    yield* whole.slice(0, maxEvents);
    if (whole.length > maxEvents) throw tooMany();
  } else if (typeof whole === 'object' && whole !== null) {
    yield whole;
  } else {
    yield* scanned(body);
  }
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

/** The slow way, for what is malformed somewhere or may hold an event that is too large. */
function* scanned(body: Buffer): Generator<unknown> {
  const start = skipSpace(body, 0);
  if (start === body.length) return;
  const first = body[start];
  if (first === brace.open) {
    yield read(body.subarray(start));
    return;
  }
  if (first !== bracket.open) {
    throw new RefusedEvent('Request body must contain an event object or an array of event objects');
  }
  let at = skipSpace(body, start + 1);
  for (let count = 0; at < body.length && !isClosing(body[at]); count++) {
    if (count === maxEvents) throw tooMany();
    if (count > 0) {
      if (body[at] !== comma) throw new RefusedEvent('expected comma after array element');
      at = skipSpace(body, at + 1);
    }
    const end = endOfValue(body, at);
    yield read(body.subarray(at, end));
    at = skipSpace(body, end);
  }
}

function read(raw: Buffer): unknown {
  if (raw.length > maxEventBytes) {
    const size = `Max ${maxEventBytes} bytes / Size ${raw.length} bytes`;
    throw new RefusedEvent(`Event is over the max size: ${size}`);
  }
  try {
    return JSON.parse(raw.toString());
  } catch (error) {
    throw new RefusedEvent((error as Error).message, { cause: error });
  }
}

function tooMany(): RefusedEvent {
  return new RefusedEvent(`Cannot have more than ${maxEvents} events in a batch`);
}

const brace = { open: 0x7b, close: 0x7d };
const bracket = { open: 0x5b, close: 0x5d };
const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;

function isClosing(byte: number | undefined): boolean {
  return byte === bracket.close || byte === brace.close;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

function skipSpace(body: Buffer, from: number): number {
  let at = from;
  while (isSpace(body[at])) at++;
  return at;
}

/** Where the value that starts here ends: at the bracket that closes it, or before a comma or a closing one. */
function endOfValue(body: Buffer, from: number): number {
  let depth = 0;
  for (let at = from; at < body.length; at++) {
    const byte = body[at];
    if (byte === quote) {
      at = endOfString(body, at);
    } else if (byte === brace.open || byte === bracket.open) {
      depth++;
    } else if (isClosing(byte)) {
      if (depth === 0) return at;
      if (--depth === 0) return at + 1;
    } else if (depth === 0 && (byte === comma || isSpace(byte))) {
      return at;
    }
  }
  if (depth === 0) return body.length;
  throw new RefusedEvent('unexpected EOF');
}

/** @returns where the closing quote stands */
function endOfString(body: Buffer, from: number): number {
  for (let at = from + 1; at < body.length; at++) {
    if (body[at] === backslash) at++;
    else if (body[at] === quote) return at;
  }
  throw new RefusedEvent('unexpected EOF');
}
