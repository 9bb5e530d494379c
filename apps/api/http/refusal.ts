/** What a client can tell errors apart by; the schema's description says what each asks of them. */
export type Code =
  | 'UNAUTHENTICATED'
  | 'AUTHENTICATION_UNAVAILABLE'
  | 'BAD_USER_INPUT'
  | 'BAD_REQUEST'
  | 'QUERY_TOO_COSTLY'
  | 'RATE_LIMITED'
  | 'REQUEST_TIMEOUT'
  | 'DATABASE_UNAVAILABLE'
  | 'INTERNAL_SERVER_ERROR';

/** We decline to do what was asked. The message is for the client, and says what would do. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: Code;
  /** Of the answer, when there is nothing else in it. */
  readonly statusCode: number;
  /** What a program can make use of, beside the code. */
  readonly details: Record<string, number>;

  constructor(code: Code, statusCode: number, message: string, details: Record<string, number> = {}) {
    super(message);
    this.code = code;
    this.statusCode = statusCode;
    this.details = details;
  }
}
