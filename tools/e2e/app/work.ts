import { createHash } from 'node:crypto';

const PIECE = Buffer.alloc(16 * 1024, 7);

/** Uses the processor for so many milliseconds of processor time: throttling makes it last longer, as with any real work. */
export function burn(milliseconds: number): void {
  const start = process.cpuUsage();
  while (cpuMilliseconds(start) < milliseconds) createHash('sha256').update(PIECE).digest();
}

function cpuMilliseconds(since: NodeJS.CpuUsage): number {
  const used = process.cpuUsage(since);
  return (used.user + used.system) / 1000;
}

/** Memory that is asked for again and again and never given back. */
export class Leak {
  readonly #held: Buffer[] = [];
  #timer: NodeJS.Timeout | undefined;

  start(bytesPerSecond: number): void {
    clearInterval(this.#timer);
    const everyMs = 100;
    // Filled, since the kernel counts only pages that were written.
    const grow = (): void => void this.#held.push(Buffer.alloc(Math.ceil((bytesPerSecond * everyMs) / 1000), 1));
    this.#timer = setInterval(grow, everyMs);
  }
}
