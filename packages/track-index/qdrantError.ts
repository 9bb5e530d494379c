/** An HTTP error as the client throws it; `data` is the body. */
type HttpError = { status?: unknown; data?: unknown; headers?: unknown };

/** The HTTP status of what the client threw; undefined when it was no HTTP answer. */
export function statusOf(error: unknown): number | undefined {
  const { status } = (error ?? {}) as HttpError;
  return typeof status === 'number' ? status : undefined;
}

/** Whether a call failed because the collection does not exist. A proxy that knows no such path answers another 404. */
export function isMissingCollection(error: unknown): boolean {
  return statusOf(error) === 404 && /doesn't exist|not found/i.test(textOf(error));
}

/** What Qdrant says is wrong, `Wrong input: Vector dimension error: expected dim: 1024, got 4`; '' where it says nothing. */
export function textOf(error: unknown): string {
  const { data } = (error ?? {}) as HttpError;
  if (typeof data === 'string') return data;
  const { status } = (data ?? {}) as { status?: { error?: unknown } };
  return typeof status?.error === 'string' ? status.error : '';
}

/**
 * How long Qdrant asks to wait after a 429, in ms. The client (1.19) keeps only the first digit of `Retry-After`, so
 * that 6 may have been 60: a number of two digits is assumed, since waiting too long harms less.
 */
export function retryAfterMsOf(error: unknown): number | undefined {
  const { retry_after: digit } = (error ?? {}) as { retry_after?: unknown };
  return typeof digit === 'number' ? (digit * 10 + 9) * 1_000 : undefined;
}
