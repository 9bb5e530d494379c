/**
 * Where a test may kill a process, to prove that nothing is lost there. `CRASH_AT=after_send` ends the process
 * with SIGKILL the first time that it gets there, `CRASH_AT=after_send:3` the third time. `CRASH_AT=after_send:3:SIGSTOP`
 * stops it there, until somebody lets it go on with SIGCONT.
 */
export type CrashPoint =
  | 'before_renewal'
  | 'after_renewal'
  | 'before_hand_back'
  | 'after_read'
  | 'after_index_check'
  | 'after_send'
  | 'within_settlement'
  | 'between_steps'
  | 'before_upsert'
  | 'after_upsert'
  | 'before_commit'
  | 'after_commit'
  | 'before_hint';

const [armed, count = '1', signal = 'SIGKILL'] = (process.env.CRASH_AT ?? '').split(':');
let passes = Number(count);

/** Costs one comparison of two strings where no crash point is armed. */
export function crashPoint(name: CrashPoint): void {
  if (name === armed && --passes === 0) process.kill(process.pid, signal as NodeJS.Signals);
}
