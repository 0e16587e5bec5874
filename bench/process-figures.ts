import { readFileSync } from 'node:fs';

/** What the kernel says of a process. */
export interface ProcessFigures {
  /** Resident memory, whole process. */
  readonly rssMiB: number;
  /** Processor time since its start, all threads, user and system. */
  readonly cpuMs: number;
}

/** Linux counts in hundredths of a second on every architecture that Node runs on. */
const MS_PER_TICK = 10;

/** Reads /proc; throws where the process is gone or the system is not Linux. */
export function processFigures(pid: number): ProcessFigures {
  const rss = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (rss === undefined) throw new Error(`process ${pid} has no memory any more`);
  return { rssMiB: Number(rss) / 1024, cpuMs: cpuMs(pid) };
}

/** The fields after the command, which may itself hold blanks and brackets: the 12th and 13th are the times. */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}
