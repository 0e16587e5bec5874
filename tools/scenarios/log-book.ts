import type { LogLine } from '../../src/diagnosis/diagnosis.ts';

interface LogSpec {
  readonly pods: readonly string[];
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly everyMs: number;
  readonly level: LogLine['level'];
  readonly message: string;
}

const MOST_LINES = 200;

/** What the pods of a scenario have written. */
export class LogBook {
  readonly specs: LogSpec[] = [];

  /** Lines of these pods up to now, the oldest first. */
  read(pods: readonly string[], sinceMs: number, nowMs: number): readonly LogLine[] {
    return this.specs.flatMap((spec) => linesOf(spec, pods, sinceMs, nowMs)).sort((a, b) => a.atMs - b.atMs);
  }
}

function linesOf(spec: LogSpec, pods: readonly string[], sinceMs: number, nowMs: number): readonly LogLine[] {
  const untilMs = Math.min(nowMs, spec.untilMs);
  const first = Math.max(0, Math.ceil((sinceMs - spec.sinceMs) / spec.everyMs));
  const count = Math.max(0, Math.floor((untilMs - spec.sinceMs) / spec.everyMs) + 1 - first);
  const times = Array.from(
    { length: Math.min(count, MOST_LINES) },
    (_, i) => spec.sinceMs + (first + i) * spec.everyMs,
  );
  return spec.pods
    .filter((pod) => pods.includes(pod))
    .flatMap((pod) =>
      times.map((atMs): LogLine => ({ atMs, level: spec.level, message: spec.message, service: pod, pod })),
    );
}
