/** Preloaded into a process (`--import`) whose clock is to be wrong by CLOCK_OFFSET_MS. Timers are not touched. */
const offsetMs = Number(process.env.CLOCK_OFFSET_MS ?? 0);
const RightDate = Date;

globalThis.Date = class extends RightDate {
  constructor(...moment: unknown[]) {
    if (moment.length === 0) super(RightDate.now() + offsetMs);
    else super(...(moment as [number]));
  }

  static override now(): number {
    return RightDate.now() + offsetMs;
  }
} as DateConstructor;
