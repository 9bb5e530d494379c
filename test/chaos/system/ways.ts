import { setTimeout as wait } from 'node:timers/promises';
import { breakable } from '@segue/testing/proxy.ts';

/** A way to a server that one process alone takes. */
export type Way = {
  /** The server's URL, by this way. */
  url: string;
  /** The open connections hand nothing on any more, and say nothing of it. */
  silence(): void;
  /** Refuses all connections for so long; nothing happens to a way that is cut already. */
  cutFor(ms: number): Promise<void>;
  close(): Promise<void>;
};

/** @param url of the server; it must name its port */
export async function wayTo(url: string): Promise<Way> {
  const proxy = await breakable(url);
  let isCut = false;
  return {
    url: proxy.url.replace(/\/$/, ''),
    silence: proxy.silence,
    async cutFor(ms) {
      if (isCut) return;
      isCut = true;
      await proxy.cut();
      await wait(ms);
      await proxy.mend();
      isCut = false;
    },
    close: proxy.cut,
  };
}
