/**
 * Sends requests to the services, as callers from outside would: each on a connection of its own, at random moments with a
 * given mean rate, whether or not earlier ones were answered. A process of its own, so that nothing else delays it.
 *
 * Standard input: one JSON object a line, `{"workload": "web", "url": "http://...", "requestsPerSecond": 20}`; again with
 * another rate to change it. Standard output: one `Second` a line, once all its requests have ended.
 */
import { get } from 'node:http';
import { createInterface } from 'node:readline';
import { seededRandom, type RandomStream } from '../../../src/lib/seeded-random.ts';
import type { Second } from './tally.ts';

/** Callers give up then. */
const TIMEOUT_MS = 10_000;

interface Order {
  readonly workload: string;
  readonly url: string;
  readonly requestsPerSecond: number;
}

interface Bucket {
  sent: number;
  failed: number;
  readonly latenciesMs: number[];
  readonly causes: Record<string, number>;
}

/** The traffic of one workload. */
class Stream {
  rate = 0;
  readonly #workload: string;
  readonly #url: string;
  readonly #random: RandomStream;
  readonly #open = new Map<number, Bucket>();
  #timer: NodeJS.Timeout | undefined;

  constructor(workload: string, url: string, seed: number) {
    this.#workload = workload;
    this.#url = url;
    this.#random = seededRandom(seed);
  }

  setRate(rate: number): void {
    this.rate = rate;
    clearTimeout(this.#timer);
    if (rate > 0) this.#schedule(performance.now());
  }

  /** Gaps with an exponential distribution: independent callers. A late timer is made up for, so that the mean holds. */
  #schedule(dueMs: number): void {
    const next = dueMs - (Math.log(1 - this.#random.next()) / this.rate) * 1000;
    this.#timer = setTimeout(
      () => {
        this.#send();
        this.#schedule(next);
      },
      Math.max(0, next - performance.now()),
    );
  }

  #send(): void {
    const bucket = this.#bucketOf(Math.floor(Date.now() / 1000) * 1000);
    bucket.sent += 1;
    const started = performance.now();
    let isOver = false;
    const end = (cause?: string): void => {
      if (isOver) return;
      isOver = true;
      if (cause === undefined) bucket.latenciesMs.push(Math.round(performance.now() - started));
      else {
        bucket.failed += 1;
        bucket.causes[cause] = (bucket.causes[cause] ?? 0) + 1;
      }
    };
    const request = get(this.#url, { agent: false, headers: { connection: 'close' } }, (response) => {
      const status = response.statusCode ?? 0;
      response.on('end', () => end(status < 500 ? undefined : String(status)));
      response.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? 'error'));
      response.resume();
    });
    const limit = setTimeout(() => {
      end('timeout');
      request.destroy();
    }, TIMEOUT_MS);
    request.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? 'error'));
    request.on('close', () => clearTimeout(limit));
  }

  #bucketOf(atMs: number): Bucket {
    const found = this.#open.get(atMs);
    if (found !== undefined) return found;
    const bucket: Bucket = { sent: 0, failed: 0, latenciesMs: [], causes: {} };
    this.#open.set(atMs, bucket);
    return bucket;
  }

  /** Hands out the seconds of which every request has ended. */
  flush(nowMs: number, isLast: boolean): void {
    for (const [atMs, bucket] of this.#open) {
      const isOver = nowMs - atMs > 1_000 && bucket.latenciesMs.length + bucket.failed === bucket.sent;
      if (!isOver && !isLast) continue;
      this.#open.delete(atMs);
      const second: Second = { workload: this.#workload, atMs, ...bucket };
      process.stdout.write(`${JSON.stringify(second)}\n`);
    }
  }
}

const streams = new Map<string, Stream>();
const flush = (isLast: boolean): void => {
  for (const stream of streams.values()) stream.flush(Date.now(), isLast);
};
setInterval(() => flush(false), 500);

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { workload, url, requestsPerSecond } = JSON.parse(line) as Order;
    const stream = streams.get(workload) ?? new Stream(workload, url, streams.size + 1);
    streams.set(workload, stream);
    stream.setRate(requestsPerSecond);
  })
  .on('close', () => {
    flush(true);
    process.exit(0);
  });
