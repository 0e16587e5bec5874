import type { MetricsSink } from '../../src/controller/ports.ts';
import type { Facts, Log } from '../../src/lib/log.ts';

/** A log that keeps its lines. */
export interface RecordedLog extends Log {
  readonly lines: { readonly level: string; readonly message: string; readonly facts: Facts }[];
}

export function recordedLog(): RecordedLog {
  const lines: RecordedLog['lines'] = [];
  const make = (bound: Facts): RecordedLog => {
    const write =
      (level: string) =>
      (message: string, facts: Facts = {}): void =>
        void lines.push({ level, message, facts: { ...bound, ...facts } });
    return {
      lines,
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      child: (facts) => make({ ...bound, ...facts }),
    };
  };
  return make({});
}

/** Metrics that can be asked. */
export interface RecordedMetrics extends MetricsSink {
  /** Sum of a counter or last value of a gauge, over all labels or those given; 0 if it was never touched. */
  value(name: string, labels?: Readonly<Record<string, string>>): number;
  observations(name: string): number;
  /** Of everything that was counted, set or observed. */
  names(): ReadonlySet<string>;
}

export function recordedMetrics(): RecordedMetrics {
  const values = new Map<string, { name: string; labels: Readonly<Record<string, string>>; value: number }>();
  const observed = new Map<string, number>();
  const cell = (name: string, labels: Readonly<Record<string, string>>) => {
    const key = `${name} ${JSON.stringify(labels)}`;
    const known = values.get(key) ?? { name, labels, value: 0 };
    values.set(key, known);
    return known;
  };
  return {
    count: (name, labels = {}, by = 1) => void (cell(name, labels).value += by),
    gauge: (name, value, labels = {}) => void (cell(name, labels).value = value),
    observe: (name) => void observed.set(name, (observed.get(name) ?? 0) + 1),
    value: (name, labels = {}) =>
      [...values.values()]
        .filter((c) => c.name === name && Object.entries(labels).every(([k, v]) => c.labels[k] === v))
        .reduce((sum, c) => sum + c.value, 0),
    observations: (name) => observed.get(name) ?? 0,
    names: () => new Set([...[...values.values()].map(({ name }) => name), ...observed.keys()]),
  };
}
