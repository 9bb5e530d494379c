import type { OpenRow } from '@segue/outbox/row.ts';
import type { RowOutcome } from '@segue/outbox/settle.ts';
import { pause } from '@segue/process/pause.ts';
import { reasonOf } from '@segue/process/reason.ts';
import type { Service } from '@segue/process/services.ts';
import { atMost } from '@segue/process/timeLimit.ts';
import { type Logger, withoutRedaction } from '@segue/telemetry/logger.ts';
import {
  type BatchDependencies,
  type BatchInput,
  type BatchResult,
  relayBatch,
  settleRows,
  tell,
} from './batch.ts';
import { newCanary, readCanaryAnswer } from './inngest/canary.ts';
import { OpenReader, type Reading } from './reading/openReader.ts';
import type { Poller } from './reading/poller.ts';
import type { RecordingsInHand } from './reading/recordingsInHand.ts';
import type { SlotKeeper } from './reading/slotKeeper.ts';
import { retryDelayMs } from './steps/conclude.ts';
import { type Batch, ofRecording } from './steps/decide.ts';
import { stuckIsrcs } from './steps/settle.ts';

export type RelayOptions = BatchDependencies & {
  poller: Poller;
  inHand: RecordingsInHand;
  keeper: Pick<SlotKeeper, 'id' | 'slots' | 'mayCall' | 'released' | 'lost'>;
  /** Rows a batch. */
  batchSize: number;
  /** Batches in flight. */
  concurrency: number;
  /** How long a row may be overlooked that stands before those read last. */
  sweepEveryMs: number;
};

/** Rows in the batch that finds out whether Inngest is back. */
const probeSize = 10;

/** A probe without rows may take so long. */
const probeWithinMs = 5_000;

/** Since a batch used up its calls, refused rows come back with their next attempts. Their backoff is a minute at the most. */
const crowdedForMs = 60_000;

/** After a failure of the database; the outage of a database that restarts lasts a second or two. */
const databaseRetryMs = 500;

/** What is left of a batch whose calls are used up waits so long. Inngest has had 64 for it: the others first. */
const outOfCallsMs = 1_000;

/** Between two tries to write down what somebody locks: doubled each time. */
const firstStuckMs = 1_000;
const longestStuckMs = 30_000;

/**
 * Calls under way at a stop may take so long before they are given up, and what is written then so long again. The process
 * has 10 s in all, of which the services that stop afterwards take up to 4.
 */
const patienceAtStopMs = 5_000;
const lastWordsMs = 1_000;

/** Between two looks for whether the lease was renewed, in its last quarter. */
const lateLeaseMs = 50;

/** Each statement has a limit of 5 s and each call one of 8 s, so that something ends sooner than this. */
const stalledAfterMs = 20_000;

/**
 * Drains the slots that this relay owns: reads while there is something to read and room for it, and otherwise waits to
 * be woken. One read at a time; up to `concurrency` batches in flight.
 */
export class Relay implements Service {
  readonly name = 'relay';
  #options: RelayOptions;
  #logger: Logger;
  #reader: OpenReader;
  #stopping = new AbortController();
  #givingUp = new AbortController();
  #underWay = new Set<Promise<void>>();
  /** What could not be written yet; it counts for no batch, so that what a person locks stops nothing. */
  #stuck = new Set<Promise<void>>();
  #loop: Promise<void> | undefined;
  #lastEnd = performance.now();
  /** Until when batches are taken to use up their calls on refused events, on `performance.now()`. */
  #crowdedUntil = 0;
  /** Whether the read before was of the newest rows. */
  #freshNext = false;
  /** Whether it was said that the database fails, and no read has succeeded since. */
  #databaseFails = false;

  constructor(options: RelayOptions) {
    this.#options = { ...options, logger: withoutRedaction(options.logger) };
    this.#reader = new OpenReader(options);
    this.#logger = options.logger;
  }

  /** Whether something has ended lately, or nothing is under way. */
  get makesProgress(): boolean {
    return this.#underWay.size === 0 || performance.now() - this.#lastEnd < stalledAfterMs;
  }

  /** Batches in flight. */
  get batchesUnderWay(): number {
    return this.#underWay.size;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Reads no more, and waits for the batches in flight; what they cannot finish stays open. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const patience = setTimeout(() => this.#givingUp.abort(), patienceAtStopMs);
    // A statement on a connection that has gone silent ends seconds after it was given up.
    await atMost(patienceAtStopMs + lastWordsMs, this.#finishAll());
    clearTimeout(patience);
    this.#givingUp.abort();
  }

  async #finishAll(): Promise<void> {
    await this.#loop;
    await Promise.all(this.#underWay);
    this.#givingUp.abort();
    await Promise.all(this.#stuck);
  }

  async #run(): Promise<void> {
    const { inngestBreaker, keeper, poller, batchSize, concurrency } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      if (inngestBreaker.state === 'open') {
        await pause(inngestBreaker.waitMs, signal);
        continue;
      }
      // No call may begin: what is read would come back undecided, and be read again at once.
      if (!keeper.mayCall && keeper.slots().size > 0) {
        await pause(lateLeaseMs, signal);
        continue;
      }
      if (this.#underWay.size >= concurrency) {
        await Promise.race(this.#underWay);
        continue;
      }
      // While it is not known whether Inngest is back, one small batch goes ahead alone.
      const probing = inngestBreaker.state === 'probing';
      if (probing && this.#underWay.size > 0) {
        await Promise.all(this.#underWay);
        continue;
      }
      // What was requested a moment ago does not wait behind thousands that Inngest refuses one by one (rule R1).
      this.#freshNext = !this.#freshNext && !probing && performance.now() < this.#crowdedUntil;
      if (this.#freshNext) await this.#relay(() => this.#reader.newest());
      const reading = await this.#readAndRelay(probing ? Math.min(probeSize, batchSize) : batchSize);
      const found = reading !== null && reading.rows.length > 0;
      if (found) poller.busy();
      if (probing) await Promise.all(this.#underWay);
      // A read that has seen all slots whole would find nothing more now: at 200 additions a second, every other read.
      if (!found || reading.fullSlots.size === 0) await poller.next(signal);
    }
  }

  /** @returns what is worked on now; null when nothing could be read */
  async #readAndRelay(limit: number): Promise<Reading | null> {
    if (this.#options.keeper.slots().size > 0) return await this.#relay(() => this.#reader.next(limit));
    await this.#probe();
    return null;
  }

  async #relay(read: () => Promise<Reading>): Promise<Reading | null> {
    let reading: Reading;
    try {
      reading = await read();
    } catch (error) {
      await this.#databaseFailed(error);
      return null;
    }
    this.#databaseAnswers();
    if (reading.rows.length > 0) this.#begin(reading);
    return reading;
  }

  /** Without slots there is no row to find out with whether Inngest is back: an event that starts nothing does it. */
  async #probe(): Promise<void> {
    const { inngestBreaker, sender } = this.#options;
    if (inngestBreaker.state !== 'probing') return;
    const options = { timeoutMs: probeWithinMs, signal: this.#givingUp.signal };
    const answer = readCanaryAnswer(await inngestBreaker.during(() => sender([newCanary()], options)));
    if (answer.kind === 'accepted') inngestBreaker.succeeded();
    else inngestBreaker.failed(answer.retryAfterMs);
  }

  #begin(reading: Reading): void {
    const { rows } = reading;
    const { keeper, inHand } = this.#options;
    inHand.add(rows);
    // The time before, in which nothing was under way, is none in which nothing ended.
    if (this.#underWay.size === 0) this.#lastEnd = performance.now();
    const input: BatchInput = {
      relay: keeper.id,
      ...reading,
      mayCall: () => keeper.mayCall,
      stopping: this.#stopping.signal,
      givingUp: this.#givingUp.signal,
    };
    const work: Promise<void> = relayBatch(input, this.#options)
      .then(result => this.#finish(result, input))
      .catch(async error => {
        this.#comeBack(rows);
        this.#free(rows);
        await this.#databaseFailed(error);
      })
      .finally(() => {
        this.#lastEnd = performance.now();
        this.#underWay.delete(work);
      });
    this.#underWay.add(work);
  }

  #finish({ batch, settled, outOfCalls }: BatchResult, input: BatchInput): void {
    const { inHand, keeper, maxAttempts } = this.#options;
    keeper.lost(settled.lostSlots);
    if (outOfCalls) this.#crowdedUntil = performance.now() + crowdedForMs;
    this.#comeBack(batch.waiting);
    for (const { isrc, slot, lead, others, outcome } of batch.sendings) {
      if (outcome.as === 'undecided' && outOfCalls) inHand.rest({ isrc, slot }, outOfCallsMs);
      else if (outcome.as === 'undecided') this.#comeBack([lead]);
      if (outcome.as !== 'refused' || others.length === 0) continue;
      // What waits behind a refused request waits for its next attempt, or goes on when it is dead.
      if (lead.attempts + 1 < maxAttempts) inHand.rest({ isrc, slot }, retryDelayMs(lead.attempts));
      else this.#comeBack(others);
    }
    const stuck = stuckIsrcs(settled);
    for (const { rows, error } of settled.stuck) this.#keepTrying(rows, error, input, batch);
    this.#free(input.rows.filter(({ isrc }) => !stuck.has(isrc)));
  }

  /** Rows that were read are to be read again, at once. */
  #comeBack(rows: OpenRow[]): void {
    if (rows.length === 0) return;
    this.#reader.startOver(rows.map(({ slot }) => slot));
    this.#options.poller.hint();
  }

  /** Tries on to write down what could not be written, while the slot is owned. The recording stays in hand. */
  #keepTrying(rows: RowOutcome[], error: unknown, input: BatchInput, batch: Batch): void {
    const [{ isrc, slot }] = rows as [RowOutcome];
    this.#logger.error(
      { event: 'settlement_blocked', isrc, error: reasonOf(error) },
      'what became of this recording cannot be written down; trying again. A session may hold a lock on its row',
    );
    const { signal } = this.#givingUp;
    const from = performance.now();
    const run = async () => {
      for (let waitMs = firstStuckMs; !signal.aborted; waitMs = Math.min(longestStuckMs, waitMs * 2)) {
        await pause(waitMs, signal);
        const settled = await settleRows(rows, input, this.#options).catch(() => undefined);
        if (settled && settled.stuck.length === 0) {
          tell(ofRecording(batch, isrc), settled, {}, performance.now() - from, this.#options);
          return;
        }
        if (this.#options.keeper.slots().get(slot) !== input.epochs.get(slot)) return;
      }
    };
    const work: Promise<void> = run().finally(() => {
      this.#free([{ isrc, slot }]);
      this.#stuck.delete(work);
    });
    this.#stuck.add(work);
  }

  #free(recordings: { isrc: string; slot: number }[]): void {
    this.#options.inHand.remove(recordings);
    this.#options.keeper.released();
  }

  /** Nothing is lost: what was read is still open. */
  async #databaseFailed(error: unknown): Promise<void> {
    if (!this.#databaseFails) {
      this.#logger.error(
        { event: 'database_error', error: reasonOf(error) },
        'the database failed; trying again',
      );
    }
    this.#databaseFails = true;
    await pause(databaseRetryMs, this.#stopping.signal);
  }

  #databaseAnswers(): void {
    if (this.#databaseFails) this.#logger.info({ event: 'database_restored' }, 'the database answers again');
    this.#databaseFails = false;
  }
}
