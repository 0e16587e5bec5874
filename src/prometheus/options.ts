import type { Log } from '../lib/log.ts';

/** How to reach a server that speaks the Prometheus HTTP API, and how far to trust what it says. */
export interface MetricSourceOptions {
  /**
   * Base address without `/api/v1`: `http://prometheus:9090`, `https://mimir/prometheus`,
   * `http://vmselect:8481/select/0/prometheus`. A query string (`?dedup=true`) is kept on every call.
   */
  readonly url: string;
  readonly log: Log;
  /** Scrape interval of the watched targets: samples older than two of them are stale. Default 30 s. */
  readonly scrapeIntervalMs?: number;
  /** Deadline of one query with its retries. Default 10 s. */
  readonly timeoutMs?: number;
  /** File with a bearer token, read again when it changes. Never the service account's token unless named here. */
  readonly bearerTokenFile?: string;
  readonly basicAuth?: { readonly username: string; readonly passwordFile: string };
  /** PEM bundle to trust instead of the system's, read again when it changes. */
  readonly caFile?: string;
  /** Sent as `X-Scope-OrgID` (Mimir, Cortex, Loki's convention). */
  readonly tenant?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly limits?: Partial<ReplyLimits>;
  readonly retry?: Partial<RetrySettings>;
}

export interface ReplyLimits {
  /** Series in one reply; default 20,000. */
  readonly maxSeries: number;
  /** Bytes of one reply after decompression; default 16 MiB. */
  readonly maxBytes: number;
  /** Points in one range reply; default 250,000. */
  readonly maxPoints: number;
  /** Queries under way at once; default 6. */
  readonly concurrency: number;
}

interface RetrySettings {
  /** Further tries after a failure that another try may cure; default 2. */
  readonly attempts: number;
  /** First wait, doubled and jittered; default 150 ms. */
  readonly initialDelayMs: number;
}

/** The options with every default filled in. */
export interface Settings {
  readonly scrapeIntervalMs: number;
  readonly timeoutMs: number;
  readonly limits: ReplyLimits;
  readonly retry: RetrySettings;
}

/** Fills in the defaults. */
export function settingsOf(options: MetricSourceOptions): Settings {
  return {
    scrapeIntervalMs: options.scrapeIntervalMs ?? 30_000,
    timeoutMs: options.timeoutMs ?? 10_000,
    limits: { maxSeries: 20_000, maxBytes: 16 << 20, maxPoints: 250_000, concurrency: 6, ...options.limits },
    retry: { attempts: 2, initialDelayMs: 150, ...options.retry },
  };
}

/** Longest age of a sample that may lead to an action: two scrape intervals. */
export const maxSampleAgeMs = (scrapeIntervalMs: number): number => 2 * scrapeIntervalMs;

/** A rate needs a few samples in its window, and must still vanish soon after they cease. */
export const rateWindowMs = (scrapeIntervalMs: number): number => Math.max(4 * scrapeIntervalMs, 20_000);

/** The shortest window in which two samples can be expected. */
export const youngWindowMs = (scrapeIntervalMs: number): number => Math.max(2 * scrapeIntervalMs, 5000);
