import { writeFileSync } from 'node:fs';

/** What one question cost the process. */
export type Probed = {
  /** The longest time between two turns of the event loop, in ms: of the clock, and of the main thread's CPU. */
  heldMs: number;
  heldCpuMs: number;
};

/** Preloaded by the API of the benchmark (`--import`): tells its parent what it asks for. */
const everyMs = 2;
let longest: Probed = { heldMs: 0, heldCpuMs: 0 };
let last = { at: performance.now(), cpu: cpuMs() };

setInterval(() => {
  const now = { at: performance.now(), cpu: cpuMs() };
  longest = {
    heldMs: Math.max(longest.heldMs, now.at - last.at - everyMs),
    heldCpuMs: Math.max(longest.heldCpuMs, now.cpu - last.cpu),
  };
  last = now;
}, everyMs).unref();

process.on('message', message => {
  if (message === 'begin') {
    // So that each question pays for its own garbage.
    globalThis.gc?.();
    // The kernel forgets the peak of the memory (VmHWM) so far.
    writeFileSync('/proc/self/clear_refs', '5');
    longest = { heldMs: 0, heldCpuMs: 0 };
    last = { at: performance.now(), cpu: cpuMs() };
    process.send?.('begun');
  } else if (message === 'end') {
    process.send?.(longest);
  }
});
// The parent's end is not what ends an API: SIGTERM is.
process.channel?.unref();

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
