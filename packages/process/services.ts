/** A part of a process that runs from its start to its stop. */
export type Service = {
  /** For messages. */
  name: string;
  /** Resolves when the service works. */
  start(): Promise<void> | void;
  /** Ends what the service does and gives back what it holds. May be called when `start` has failed. */
  stop(): Promise<void>;
};

/**
 * Starts services, each when the one before it works.
 *
 * @returns a function that stops them, the last one first
 * @throws what a start throws; those before it are stopped then
 */
export async function startServices(services: Service[]): Promise<() => Promise<void>> {
  const started: Service[] = [];
  const stop = async () => {
    let failure: { error: unknown } | undefined;
    for (let service = started.pop(); service; service = started.pop()) {
      // One that cannot stop must not keep the others from it.
      await service.stop().catch(error => {
        failure ??= { error };
      });
    }
    if (failure) throw failure.error;
  };
  for (const service of services) {
    started.push(service);
    try {
      await service.start();
    } catch (error) {
      await stop().catch(() => undefined);
      throw error;
    }
  }
  return stop;
}
