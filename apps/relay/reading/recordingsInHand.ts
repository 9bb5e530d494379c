/**
 * The recordings that this relay has in hand, and those that it lets rest for a while. No read looks at them: requests
 * that come meanwhile are read when the recording is free, with what the ledger knows by then.
 */
export class RecordingsInHand {
  #inHand = new Set<string>();
  #perSlot = new Map<number, number>();
  /** Until when, on `performance.now()`. */
  #resting = new Map<string, { slot: number; until: number }>();

  /** @param recordings of one read; none of them is in hand */
  add(recordings: Iterable<{ isrc: string; slot: number }>): void {
    for (const { isrc, slot } of recordings) {
      if (this.#inHand.has(isrc)) continue;
      this.#inHand.add(isrc);
      this.#perSlot.set(slot, (this.#perSlot.get(slot) ?? 0) + 1);
    }
  }

  remove(recordings: Iterable<{ isrc: string; slot: number }>): void {
    for (const { isrc, slot } of recordings) {
      if (!this.#inHand.delete(isrc)) continue;
      this.#perSlot.set(slot, (this.#perSlot.get(slot) ?? 1) - 1);
    }
  }

  /** Lets a recording rest, so that what waits behind a refused request is not read again and again. */
  rest({ isrc, slot }: { isrc: string; slot: number }, ms: number): void {
    this.#resting.set(isrc, { slot, until: performance.now() + ms });
  }

  /** Ends the rest of those whose time is up. @returns their slots */
  endRests(): Set<number> {
    const now = performance.now();
    const slots = new Set<number>();
    for (const [isrc, { slot, until }] of this.#resting) {
      if (until > now) continue;
      this.#resting.delete(isrc);
      slots.add(slot);
    }
    return slots;
  }

  hasOfSlot(slot: number): boolean {
    return (this.#perSlot.get(slot) ?? 0) > 0;
  }

  /** The ISRCs that the next read leaves out. */
  toLeaveOut(): string[] {
    return this.#resting.size === 0 ? [...this.#inHand] : [...this.#inHand, ...this.#resting.keys()];
  }
}
