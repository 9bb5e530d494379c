import { fstatSync, write as writeFile } from 'node:fs';

/** Lines wait so long for others. */
const gatherMs = 10;
/** Characters that do not wait: some 300 lines. */
const pieceSize = 65_536;
/** What cannot be written (a full disk) is tried again so often. */
const retryMs = 1_000;
/** A flush gives up when nothing was taken for so long: nobody reads. */
const stuckMs = 1_000;

/** Writes bytes without blocking the process. With an error come the bytes that are left. */
type Sink = (bytes: Buffer, done: (error: NodeJS.ErrnoException | null, left: Buffer) => void) => void;

/**
 * Hands lines to a descriptor in larger pieces, and never waits for whoever takes them.
 *
 *     gathering → waiting → under way → written
 *         ↓ (more than `limit` characters wait, or the reader is gone)
 *      dropped and counted
 *
 * A write for each line cost the API 75 us of every addition, more than its row in the outbox did. A write that
 * blocks, to a pipe that nobody reads, froze the whole process.
 */
export class LogWriter {
  readonly #sink: Sink;
  readonly #limit: number;
  readonly #onRestored: (dropped: number) => void;
  #gathered = '';
  #waiting: string[] = [];
  /** Characters that are gathered, wait or are under way. */
  #size = 0;
  #underWay = false;
  /** The reader is gone, which no retry mends. */
  #broken = false;
  #droppedSinceTold = 0;
  #timer: NodeJS.Timeout | undefined;
  #flushed = new Set<() => void>();
  /** Pieces written, for a flush to see whether it gets on. */
  #written = 0;
  /** Lines dropped since the start. */
  dropped = 0;

  /**
   * @param limit characters that may wait: beyond, lines are dropped
   * @param onRestored is told how many were dropped, once all that waited is written
   */
  constructor(sink: Sink, limit: number, onRestored: (dropped: number) => void) {
    this.#sink = sink;
    this.#limit = limit;
    this.#onRestored = onRestored;
  }

  write(line: string): void {
    if (this.#broken || this.#size + line.length > this.#limit) {
      this.dropped += 1;
      this.#droppedSinceTold += 1;
      return;
    }
    this.#size += line.length;
    this.#gathered += line;
    if (this.#gathered.length >= pieceSize) this.#hand();
    else this.#timer ??= setTimeout(() => this.#hand(), gatherMs);
  }

  /** Calls back once every line so far is written, or it is clear that nobody takes them. */
  flush(done: () => void): void {
    this.#hand();
    if (this.#isIdle) {
      done();
      return;
    }
    let seen = this.#written;
    const watch = setInterval(() => {
      if (this.#written === seen) finish();
      seen = this.#written;
    }, stuckMs);
    const finish = () => {
      clearInterval(watch);
      if (this.#flushed.delete(finish)) done();
    };
    this.#flushed.add(finish);
  }

  get #isIdle(): boolean {
    return this.#broken || (this.#size === 0 && !this.#underWay);
  }

  #hand(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#gathered !== '') this.#waiting.push(this.#gathered);
    this.#gathered = '';
    this.#next();
  }

  #next(): void {
    if (this.#underWay || this.#broken) return;
    const piece = this.#waiting.shift();
    if (piece === undefined) {
      this.#allWritten();
    } else {
      this.#underWay = true;
      this.#write(Buffer.from(piece), piece.length);
    }
  }

  #write(bytes: Buffer, characters: number): void {
    this.#sink(bytes, (error, left) => {
      if (error?.code === 'EPIPE' || error?.code === 'ERR_STREAM_DESTROYED') return this.#break();
      if (error) return void setTimeout(() => this.#write(left, characters), retryMs).unref();
      this.#underWay = false;
      this.#size -= characters;
      this.#written += 1;
      this.#next();
    });
  }

  #break(): void {
    this.#broken = true;
    this.#waiting = [];
    for (const finish of this.#flushed) finish();
  }

  #allWritten(): void {
    if (this.#gathered !== '') return;
    const dropped = this.#droppedSinceTold;
    this.#droppedSinceTold = 0;
    if (dropped > 0) this.#onRestored(dropped);
    else for (const finish of this.#flushed) finish();
  }
}

/** What a descriptor of this kind is written to by. */
export function sinkOf(descriptor: 1): Sink {
  const stat = fstatSync(descriptor);
  return stat.isFIFO() || stat.isSocket() ? pipeSink() : fileSink(descriptor);
}

/** Node writes to a pipe without blocking: what the reader does not take yet waits here. */
function pipeSink(): Sink {
  const { stdout } = process;
  stdout.on('error', () => undefined);
  return (bytes, done) => void stdout.write(bytes, error => done(error ?? null, bytes));
}

/** A thread of the pool writes, which a disk holds up for no long time. What it took only in part is completed. */
function fileSink(descriptor: number): Sink {
  return function write(bytes, done) {
    writeFile(descriptor, bytes, (error, written) => {
      if (error || written === bytes.length) return done(error, bytes);
      write(bytes.subarray(written), done);
    });
  };
}
