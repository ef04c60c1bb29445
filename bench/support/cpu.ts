import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks of /proc are 10 ms on every Linux that Node runs on. */
const TICK_MS = 10;

function stat(pid: number): { parent: number; own: number; ended: number } | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return { parent: Number(fields[1]), own: (Number(fields[11]) + Number(fields[12])) * TICK_MS, ended: (Number(fields[13]) + Number(fields[14])) * TICK_MS };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ESRCH') return null;
    throw error;
  }
}

/** CPU time of a process and all its children so far, ms (Linux). Ended children are counted by their parent. */
export function cpuMs(pid: number): number {
  const own = stat(pid);
  if (!own) return 0;
  let sum = own.own + own.ended;
  for (const name of readdirSync('/proc')) {
    if (/^\d+$/.test(name) && stat(Number(name))?.parent === pid) sum += cpuMs(Number(name));
  }
  return sum;
}

/** Resident memory of a process, MB. */
export function residentMb(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
  return Math.round((pages * 4096) / 1_048_576);
}
