import type { PeerAnswer, PeerOrder } from './peer.ts';

/**
 * In a peer's process: says that it is ready, and works off each order that the bench gives. The process ends with the
 * bench.
 *
 * @param work resolves when the last job of the order is done
 */
export function takeOrders(work: (order: PeerOrder) => Promise<void>): void {
  process.on('message', async (order: PeerOrder) => {
    await work(order);
    say({ kind: 'done' });
  });
  process.on('disconnect', () => process.exit());
  say({ kind: 'ready' });
}

function say(answer: PeerAnswer): void {
  process.send?.(answer);
}
