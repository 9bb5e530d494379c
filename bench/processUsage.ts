import { readdir, readFile } from 'node:fs/promises';

/** The kernel counts in hundredths of a second on every Linux that Node runs on (`USER_HZ`). */
const ticksPerSecond = 100;

/**
 * CPU time that a process has used so far, with all of its threads, in seconds. With `descendants`, that of
 * its living children too, and of those that have ended: PostgreSQL with all of its sessions, old and new.
 *
 * @returns null where there is no /proc (macOS)
 */
export async function cpuSeconds(
  pid: number,
  { descendants }: { descendants: boolean },
): Promise<number | null> {
  const own = await readStat(pid);
  if (!own) return null;
  if (!descendants) return own.seconds;
  const children = await childrenOf(pid);
  return children.reduce((sum, child) => sum + child.seconds, own.seconds + own.endedChildrenSeconds);
}

/**
 * CPU time of a process's first thread so far, in ms, by the nanosecond: for what takes less than a hundredth of a second.
 *
 * @returns null where there is no /proc (macOS)
 */
export async function cpuMilliseconds(pid: number): Promise<number | null> {
  return (await mainThreadMs(pid))?.ran ?? null;
}

/**
 * What the first thread of a process has run so far, and how long it waited for a processor though it had work, in ms.
 *
 * @returns null where there is no /proc (macOS)
 */
export async function mainThreadMs(pid: number): Promise<{ ran: number; waited: number } | null> {
  try {
    const [ran, waited] = (await readFile(`/proc/${pid}/schedstat`, 'utf8')).split(' ');
    return { ran: Number(ran) / 1e6, waited: Number(waited) / 1e6 };
  } catch {
    return null;
  }
}

/** The process that started another; null where there is no /proc. */
export async function parentOf(pid: number): Promise<number | null> {
  return (await readStat(pid))?.parent ?? null;
}

type ProcessStat = { parent: number; seconds: number; endedChildrenSeconds: number };

async function childrenOf(pid: number): Promise<ProcessStat[]> {
  const all = await Promise.all(
    (await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(name => readStat(Number(name))),
  );
  return all.filter(stat => stat !== null).filter(({ parent }) => parent === pid);
}

/** Reads `/proc/<pid>/stat` (proc_pid_stat(5)); the process's name, in brackets, may hold anything. */
async function readStat(pid: number): Promise<ProcessStat | null> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    // From field 3 on; ppid is field 4, utime to cstime are fields 14 to 17.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const seconds = (field: number) => Number(fields[field - 3]) / ticksPerSecond;
    return {
      parent: Number(fields[1]),
      seconds: seconds(14) + seconds(15),
      endedChildrenSeconds: seconds(16) + seconds(17),
    };
  } catch {
    // It has ended, or there is no /proc.
    return null;
  }
}
