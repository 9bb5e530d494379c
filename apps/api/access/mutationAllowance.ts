import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

export type MutationAllowance = {
  /** Changes of a user in a minute at the most: more at once may never be made, however long they wait. */
  readonly changesPerMinute: number;
  /**
   * Counts changes that a user is about to make. Those that they may not make are not counted: what is left is for
   * smaller ones.
   *
   * @returns null when they may; the seconds to wait when they may not
   */
  take(userId: string, changes: number): Promise<number | null>;
};

/** For the one user of a server that nobody else can reach. */
export const unlimited: MutationAllowance = {
  changesPerMinute: Number.POSITIVE_INFINITY,
  take: async () => null,
};

/**
 * So many changes a minute and user, a minute counted from a user's first. The count is this process's own: of
 * several each grants as much, and one that is started anew begins at none. It protects the process and TIDAL,
 * and is no quota.
 */
export function allowanceOf(changesPerMinute: number): MutationAllowance {
  const limiter = new RateLimiterMemory({ points: changesPerMinute, duration: 60 });
  return {
    changesPerMinute,
    async take(userId, changes) {
      try {
        await limiter.consume(userId, changes);
        return null;
      } catch (rejection) {
        if (!(rejection instanceof RateLimiterRes)) throw rejection;
        // The limiter counts what it rejects.
        await limiter.reward(userId, changes);
        return Math.max(1, Math.ceil(rejection.msBeforeNext / 1000));
      }
    },
  };
}
