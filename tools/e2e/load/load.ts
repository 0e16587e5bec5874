import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { SampleWorkload } from '../workloads.ts';
import type { Second } from './tally.ts';

const RAMP_STEP_MS = 1_000;

/** The steady traffic of the run, and what callers saw of it. */
export class Load {
  readonly seconds: Second[] = [];
  readonly #generator: ChildProcess;
  readonly #urls: ReadonlyMap<string, string>;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(urls: ReadonlyMap<string, string>) {
    this.#urls = urls;
    const script = join(import.meta.dirname, 'generator.ts');
    const args = ['--disable-warning=ExperimentalWarning', script];
    this.#generator = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#generator.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.seconds.push(JSON.parse(line) as Second);
    });
  }

  start(workloads: readonly SampleWorkload[]): void {
    for (const { name, requestsPerSecond, restless } of workloads) {
      this.setRate(name, requestsPerSecond);
      if (restless === undefined) continue;
      const { everySeconds, lastSeconds, factor } = restless;
      const rise = (): void => {
        this.setRate(name, requestsPerSecond * factor);
        this.#timers.push(setTimeout(() => this.setRate(name, requestsPerSecond), lastSeconds * 1000));
      };
      this.#timers.push(setInterval(rise, everySeconds * 1000));
    }
  }

  setRate(workload: string, requestsPerSecond: number): void {
    const url = this.#urls.get(workload);
    if (url === undefined) throw new Error(`no address of ${workload}`);
    this.#generator.stdin?.write(`${JSON.stringify({ workload, url, requestsPerSecond })}\n`);
  }

  /** Goes from one rate to another in equal steps; resolves when it is there. */
  async ramp(workload: string, from: number, to: number, overMs: number): Promise<void> {
    const steps = Math.max(1, Math.round(overMs / RAMP_STEP_MS));
    for (let step = 1; step <= steps; step++) {
      this.setRate(workload, from + ((to - from) * step) / steps);
      await new Promise((resolve) => setTimeout(resolve, RAMP_STEP_MS));
    }
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    const ended = new Promise((resolve) => this.#generator.once('close', resolve));
    this.#generator.stdin?.end();
    await ended;
  }
}
