/** Upper bounds in seconds, as most client libraries have them by default. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** What a client library of Prometheus would count: requests by status and their durations. */
export class Page {
  readonly #requests = new Map<number, number>();
  readonly #buckets = BUCKETS.map(() => 0);
  #sum = 0;
  #count = 0;

  observe(status: number, seconds: number): void {
    this.#requests.set(status, (this.#requests.get(status) ?? 0) + 1);
    for (const [i, bound] of BUCKETS.entries()) {
      if (seconds <= bound) this.#buckets[i] = (this.#buckets[i] ?? 0) + 1;
    }
    this.#sum += seconds;
    this.#count += 1;
  }

  render(): string {
    const duration = 'http_request_duration_seconds';
    return [
      '# TYPE http_requests_total counter',
      ...[...this.#requests].map(([code, value]) => `http_requests_total{code="${code}"} ${value}`),
      `# TYPE ${duration} histogram`,
      ...BUCKETS.map((bound, i) => `${duration}_bucket{le="${bound}"} ${this.#buckets[i] ?? 0}`),
      `${duration}_bucket{le="+Inf"} ${this.#count}`,
      `${duration}_sum ${this.#sum}`,
      `${duration}_count ${this.#count}`,
      '',
    ].join('\n');
  }
}
