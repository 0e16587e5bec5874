import { LATENCY_BUCKETS, type Counters } from './counters.ts';
import type { Pod } from './pods.ts';

/** Exposition text, metric by metric: the format wants all series of a name together. */
export class Page {
  private readonly families = new Map<string, { readonly type: string; readonly lines: string[] }>();

  private add(name: string, type: 'counter' | 'gauge' | 'histogram', series: string, value: number): void {
    const family = this.families.get(name) ?? { type, lines: [] };
    this.families.set(name, family);
    family.lines.push(`${series} ${value}`);
  }

  /** The series that cAdvisor and the usual HTTP middleware would give for this pod. */
  addPod(pod: Pod, counters: Counters): void {
    const ofPod = `namespace="${pod.namespace}",pod="${pod.name}"`;
    this.addContainer(pod, counters, `${ofPod},container="${pod.container.name}"`);
    const requests = 'http_requests_total';
    this.add(requests, 'counter', `${requests}{${ofPod},code="200"}`, Math.floor(counters.requestsOk));
    this.add(requests, 'counter', `${requests}{${ofPod},code="500"}`, Math.floor(counters.requestsFailed));
    this.addLatency(counters, ofPod);
  }

  private addContainer(pod: Pod, counters: Counters, labels: string): void {
    const counter = (name: string, value: number): void => this.add(name, 'counter', `${name}{${labels}}`, value);
    const gauge = (name: string, value: number): void => this.add(name, 'gauge', `${name}{${labels}}`, value);
    counter('container_cpu_usage_seconds_total', counters.cpuSeconds);
    gauge('container_memory_working_set_bytes', Math.round(counters.load.memoryBytes));
    counter('container_fs_writes_bytes_total', Math.floor(counters.writtenBytes));
    counter('container_fs_reads_bytes_total', Math.floor(counters.readBytes));
    const { cpuLimitCores, memoryLimitBytes } = pod.container;
    if (memoryLimitBytes !== undefined) gauge('container_spec_memory_limit_bytes', memoryLimitBytes);
    if (cpuLimitCores === undefined) return; // as in reality: no limit, no quota, no throttling series
    gauge('container_spec_cpu_quota', Math.round(cpuLimitCores * 100_000));
    gauge('container_spec_cpu_period', 100_000);
    counter('container_cpu_cfs_periods_total', Math.floor(counters.cfsPeriods));
    counter('container_cpu_cfs_throttled_periods_total', Math.floor(counters.cfsThrottledPeriods));
  }

  private addLatency(counters: Counters, labels: string): void {
    const name = 'http_request_duration_seconds';
    const add = (series: string, value: number): void => this.add(name, 'histogram', series, value);
    const count = Math.floor(counters.requestsOk + counters.requestsFailed);
    LATENCY_BUCKETS.forEach((bound, i) =>
      add(`${name}_bucket{${labels},le="${bound}"}`, Math.floor(counters.latencyBuckets[i] ?? 0)),
    );
    add(`${name}_bucket{${labels},le="+Inf"}`, count);
    add(`${name}_sum{${labels}}`, counters.latencySum);
    add(`${name}_count{${labels}}`, count);
  }

  toString(): string {
    let text = '';
    for (const [name, { type, lines }] of this.families) text += `# TYPE ${name} ${type}\n${lines.join('\n')}\n`;
    return text;
  }
}
