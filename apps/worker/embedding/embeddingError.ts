/**
 * Why there is no embedding:
 * - `input`: the service refuses the text; it would refuse it again.
 * - `quota`: the account is used up, and no waiting mends that.
 * - `rate_limit`: too many requests; `retryAfterMs` where the service says how long to wait.
 * - `unavailable`: anything else, an outage above all.
 */
export type EmbeddingProblem = 'input' | 'quota' | 'rate_limit' | 'unavailable';

export class EmbeddingError extends Error {
  override name = 'EmbeddingError';
  readonly problem: EmbeddingProblem;
  readonly retryAfterMs: number | undefined;

  constructor(
    problem: EmbeddingProblem,
    message: string,
    options: ErrorOptions & { retryAfterMs?: number } = {},
  ) {
    super(message, options);
    this.problem = problem;
    this.retryAfterMs = options.retryAfterMs;
  }
}
