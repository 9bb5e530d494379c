import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Sql } from '@segue/database/connection.ts';
import { notifySlots } from '@segue/outbox/hint.ts';
import { beat, type Holding, type RelayState } from '@segue/outbox/slots.ts';
import { crashPoint } from '@segue/process/crashPoint.ts';
import { reasonOf } from '@segue/process/reason.ts';
import { atMost } from '@segue/process/timeLimit.ts';
import { version } from '@segue/process/version.ts';
import type { Logger } from '@segue/telemetry/logger.ts';

export type SlotKeeperOptions = {
  sql: Sql;
  leaseMs: number;
  logger: Logger;
  /** Whether this relay can send, as far as it knows. */
  canSend: () => boolean;
  /** False when nothing that is under way has come to an end for too long: the lease is not renewed then. */
  makesProgress: () => boolean;
  /** Whether anything of the slot is in hand, so that it cannot be handed back yet. */
  isInHand: (slot: number) => boolean;
  /** Called when there may be more to read. */
  onTaken: () => void;
};

/** A lease is renewed each quarter of its time, and no call begins in the last quarter. */
const renewals = 4;
/** After a failure of the database. */
const retryMs = 250;
/** At a stop, for the heartbeat under way and the last one. The batches in flight may have used six of the ten seconds. */
const stopWithinMs = 1_500;
/** A heartbeat that is asked for by others comes no sooner than this after the last. */
const leastMs = 20;

/**
 * Keeps this relay's share of the slots: renews them, takes free ones, and hands back what exceeds the share, or all
 * when it stops. What the relay remembers of its lease counts from before the renewal was asked for, on a clock that
 * goes on while the process is stopped: so the lease ends here before it ends in the database.
 */
export class SlotKeeper {
  readonly name = 'slot keeper';
  readonly id = randomUUID();
  #options: SlotKeeperOptions;
  /** Epochs by slot. */
  #owned = new Map<number, number>();
  /** Owned, and no longer read: they are handed back once nothing of them is in hand. */
  #leaving = new Set<number>();
  #leaseFrom = Number.NEGATIVE_INFINITY;
  #state: RelayState = 'running';
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> | undefined;
  #askedFor = false;
  #stopped = false;
  #failed = false;
  #stalled = false;

  constructor(options: SlotKeeperOptions) {
    this.#options = options;
  }

  /** Slots that may be read now, in ascending order, and the epochs in which they were taken. */
  slots(): Map<number, number> {
    if (this.leaseLeftMs <= 0) return new Map();
    return new Map([...this.#owned].filter(([slot]) => !this.#leaving.has(slot)).sort(([a], [b]) => a - b));
  }

  /** Owned now, whether read or not. */
  get count(): number {
    return this.#owned.size;
  }

  /** Of the lease as it is remembered, in ms. */
  get leaseLeftMs(): number {
    return this.#leaseFrom + this.#options.leaseMs - performance.now();
  }

  /** Whether a call may begin: a late one could reach Inngest after another relay has gone on with the recording. */
  get mayCall(): boolean {
    return this.leaseLeftMs > this.#options.leaseMs / renewals;
  }

  start(): void {
    this.hint();
  }

  /** Something has changed: another relay came or went, or a slot that is to be handed back is free of work. */
  hint(): void {
    this.#askedFor = true;
    if (!this.#beating && !this.#stopped) this.#schedule(0);
  }

  /** Tells that nothing of a slot may be in hand any more. */
  released(): void {
    for (const slot of this.#leaving) {
      if (!this.#options.isInHand(slot)) {
        this.hint();
        return;
      }
    }
  }

  /** A settlement found that these are no longer owned. */
  lost(slots: number[]): void {
    for (const slot of slots) this.#forget(slot);
  }

  /** Hands everything back, and tells the others. Never throws: what cannot be handed back is taken when its lease ends. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    // A database that is silent is found out after seconds, which the process does not have.
    await atMost(stopWithinMs, this.#handBackAll());
  }

  async #handBackAll(): Promise<void> {
    await this.#beating;
    this.#state = 'stopped';
    crashPoint('before_hand_back');
    await this.#beat([...this.#owned.keys()]);
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#beating = this.#round().finally(() => {
        this.#beating = undefined;
      });
    }, ms);
  }

  async #round(): Promise<void> {
    const { logger, leaseMs, canSend, makesProgress, isInHand } = this.#options;
    this.#askedFor = false;
    let nextMs = leaseMs / renewals;
    if (!makesProgress()) {
      if (!this.#stalled) {
        logger.error(
          { event: 'relay_stalled' },
          `nothing under way has ended for too long: ${this.count} slots are left to their lease`,
        );
      }
      this.#stalled = true;
    } else {
      this.#stalled = false;
      this.#state = canSend() ? 'running' : 'held_back';
      try {
        const { nextEndMs } = await this.#beat([...this.#leaving].filter(slot => !isInHand(slot)));
        if (nextEndMs !== null) nextMs = Math.min(nextMs, Math.max(leastMs, nextEndMs + 5));
        this.#failed = false;
      } catch (error) {
        if (!this.#failed) {
          logger.warn(
            { event: 'database_error', error: reasonOf(error) },
            'the lease of the slots could not be renewed; trying again',
          );
        }
        this.#failed = true;
        nextMs = retryMs;
      }
    }
    if (!this.#stopped) this.#schedule(this.#askedFor ? leastMs : nextMs);
  }

  async #beat(handBack: number[]): Promise<Holding> {
    const { sql, leaseMs, onTaken } = this.#options;
    const from = performance.now();
    const isFirst = this.#leaseFrom === Number.NEGATIVE_INFINITY;
    crashPoint('before_renewal');
    const holding = await beat(sql, {
      id: this.id,
      host: hostname(),
      version,
      state: this.#state,
      leaseMs,
      handBack,
    });
    crashPoint('after_renewal');
    this.#leaseFrom = from;
    const gained = this.#note(holding);
    // A newcomer waits for its share, and what was handed back waits for an owner.
    if (holding.handedBack > 0 || (isFirst && holding.owned.length < holding.share))
      await notifySlots(sql, this.id);
    if (gained) onTaken();
    return holding;
  }

  /** @returns whether there is a slot that was not owned before */
  #note({ owned, share }: Holding): boolean {
    const before = this.#owned;
    this.#owned = new Map(owned.map(({ slot, epoch }) => [slot, epoch]));
    for (const slot of this.#leaving) if (!this.#owned.has(slot)) this.#leaving.delete(slot);
    // The last ones leave first. Slots with nothing in hand would do as well: which ones makes no difference.
    const excess = this.#owned.size - share;
    const leaving = [...this.#owned.keys()].sort((a, b) => b - a).slice(0, Math.max(0, excess));
    const isNew = leaving.some(slot => !this.#leaving.has(slot));
    this.#leaving = new Set(leaving);
    if (isNew) this.#askedFor = true;
    return owned.some(({ slot, epoch }) => before.get(slot) !== epoch);
  }

  #forget(slot: number): void {
    this.#owned.delete(slot);
    this.#leaving.delete(slot);
  }
}
