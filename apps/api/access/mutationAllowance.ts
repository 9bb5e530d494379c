import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

export type MutationAllowance = {
  /**
   * Counts changes that a user is about to make.
   *
   * @returns null when they may; the seconds to wait when they may not
   */
  take(userId: string, changes: number): Promise<number | null>;
};

/** For the one user of a server that nobody else can reach. */
export const unlimited: MutationAllowance = { take: async () => null };

/**
 * So many changes a minute and user, a minute counted from a user's first. The count is this process's own: of
 * several each grants as much, and one that is started anew begins at none. It protects the process and TIDAL,
 * and is no quota.
 */
export function allowanceOf(changesPerMinute: number): MutationAllowance {
  const limiter = new RateLimiterMemory({ points: changesPerMinute, duration: 60 });
  return {
    async take(userId, changes) {
      try {
        await limiter.consume(userId, changes);
        return null;
      } catch (rejection) {
        if (rejection instanceof RateLimiterRes) return Math.max(1, Math.ceil(rejection.msBeforeNext / 1000));
        throw rejection;
      }
    },
  };
}
