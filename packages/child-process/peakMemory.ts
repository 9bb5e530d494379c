import { readFile } from 'node:fs/promises';

/** The most memory that a process has had at any moment so far, in MB (`VmHWM`); null where there is no /proc. */
export async function peakMemoryMb(pid: number): Promise<number | null> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    return kib === undefined ? null : (Number(kib) * 1_024) / 1e6;
  } catch {
    return null;
  }
}
