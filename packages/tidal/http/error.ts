/** TIDAL did not give what it was asked for. The message says what happened and holds no secret. */
export class TidalApiError extends Error {
  override readonly name = 'TidalApiError';
  /** Whether the same request may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  /** The HTTP status of TIDAL's last answer; null when there was none. */
  readonly status: number | null;
  /** Whether the time was up before TIDAL was asked at all: no failure of TIDAL's. */
  readonly unasked: boolean;

  constructor(
    message: string,
    {
      retryable,
      status,
      unasked = false,
      cause,
    }: { retryable: boolean; status: number | null; unasked?: boolean; cause?: unknown },
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.retryable = retryable;
    this.status = status;
    this.unasked = unasked;
  }
}
