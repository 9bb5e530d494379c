export type BreakerState = 'closed' | 'open' | 'probing';

export type BreakerOptions = {
  /** The first wait after a failure; each further failure doubles it. */
  firstWaitMs: number;
  /** No wait is longer, so that work goes on soon after the outage, unless the server asked for more. */
  longestWaitMs: number;
};

/** A server that asks for more patience than this is probed all the same. */
const longestRetryAfterMs = 10 * 60_000;

/**
 * Holds calls back from a server that does not answer.
 *
 *     closed ── failure ──▶ open ── wait over ──▶ probing ── success ──▶ closed
 *                            ▲                       │
 *                            └─────── failure ───────┘
 *
 * Closed: call. Open: do not call. Probing: make one small call. Waits are stretched by up to a quarter at
 * random, so that relays that lost the same server together do not come back together.
 */
export class Breaker {
  #options: BreakerOptions;
  #failures = 0;
  #openUntil = 0;
  #state: 'closed' | 'tripped' = 'closed';
  #callsUnderWay = 0;
  #failingSince = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get state(): BreakerState {
    if (this.#state === 'closed') return 'closed';
    return this.waitMs > 0 ? 'open' : 'probing';
  }

  /** How long to hold back from now on, in ms. 0 when closed or when it is time to probe. */
  get waitMs(): number {
    return this.#state === 'closed' ? 0 : Math.max(0, this.#openUntil - performance.now());
  }

  /**
   * Whether the server is known to be away: while open, and during a probe, which a server that hangs can make
   * last for seconds. Without work there is no probe, and an idle relay has nothing to say against the server.
   */
  get isHeldBack(): boolean {
    return this.state === 'open' || (this.state === 'probing' && this.#callsUnderWay > 0);
  }

  /** Since when it has not been closed, in ms; 0 when it is. */
  get heldBackMs(): number {
    return this.#state === 'closed' ? 0 : performance.now() - this.#failingSince;
  }

  /** Makes calls. What came of them is told by {@link succeeded} or {@link failed}. */
  async during<Result>(calls: () => Promise<Result>): Promise<Result> {
    this.#callsUnderWay += 1;
    try {
      return await calls();
    } finally {
      this.#callsUnderWay -= 1;
    }
  }

  succeeded(): void {
    this.#state = 'closed';
    this.#failures = 0;
  }

  /**
   * @param retryAfterMs what the server asked for
   */
  failed(retryAfterMs = 0): void {
    // Calls that were under way when the first of them failed say nothing new.
    if (this.state === 'open') {
      this.#openUntil = Math.max(
        this.#openUntil,
        performance.now() + Math.min(retryAfterMs, longestRetryAfterMs),
      );
      return;
    }
    const { firstWaitMs, longestWaitMs } = this.#options;
    const backoff = Math.min(longestWaitMs, firstWaitMs * 2 ** this.#failures) * (1 + Math.random() / 4);
    this.#failures += 1;
    if (this.#state === 'closed') this.#failingSince = performance.now();
    this.#state = 'tripped';
    this.#openUntil = performance.now() + Math.max(backoff, Math.min(retryAfterMs, longestRetryAfterMs));
  }
}
