/** A service that the relay needs, and how it stands. */
export type Dependency = {
  /** Its name, for people. */
  name: string;
  /** `degraded`: the relay goes on without it. */
  state: 'ok' | 'degraded' | 'unavailable';
  /** What is, in words. */
  summary: string;
  /** Since when; null when it has been so for as long as this relay runs. */
  since: Date | null;
};

type Held = { readonly isHeldBack: boolean };
type Known = { inngest: Held; qdrant: Held };

const lookEveryMs = 1_000;

/**
 * Watches the relay's breakers, so that it is known since when one holds back. Looks into memory alone.
 *
 * @returns how the services stand, and what ends the watching
 */
export function watchDependencies({ inngest, qdrant }: Known): {
  read: () => Dependency[];
  stop: () => void;
} {
  const watched = [
    {
      name: 'Inngest',
      breaker: inngest,
      ok: 'takes events',
      away: 'takes no events: requests wait',
      state: 'unavailable',
    },
    {
      name: 'Qdrant',
      breaker: qdrant,
      ok: 'answers',
      away: 'does not answer: all is sent, also what may be in the index already',
      state: 'degraded',
    },
  ] as const;
  const since = new Map<string, { held: boolean; at: Date | null }>();
  const look = () => {
    for (const { name, breaker } of watched) {
      const held = breaker.isHeldBack;
      const before = since.get(name);
      if (before?.held !== held) since.set(name, { held, at: before || held ? new Date() : null });
    }
  };
  look();
  const timer = setInterval(look, lookEveryMs).unref();
  return {
    read() {
      look();
      return watched.map(({ name, breaker, ok, away, state }) => {
        const held = breaker.isHeldBack;
        const at = since.get(name)?.at ?? null;
        return { name, state: held ? state : 'ok', summary: held ? away : ok, since: at };
      });
    },
    stop: () => clearInterval(timer),
  };
}
