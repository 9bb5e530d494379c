/** TIDAL did not give what it was asked for. The message says what happened and holds no secret. */
export class TidalApiError extends Error {
  override readonly name = 'TidalApiError';
  /** Whether the same request may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  /** The HTTP status of TIDAL's last answer; null when there was none. */
  readonly status: number | null;

  constructor(
    message: string,
    { retryable, status, cause }: { retryable: boolean; status: number | null; cause?: unknown },
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.retryable = retryable;
    this.status = status;
  }
}
