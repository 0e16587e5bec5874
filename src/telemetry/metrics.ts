import { Gauge, Registry } from 'prom-client';
import { METRICS, type MetricDeclaration } from '../controller/metrics.ts';
import type { MetricsSink } from '../controller/ports.ts';
import type { Log } from '../lib/log.ts';
import { labelValues } from './label-values.ts';
import { collectProcessMetrics } from './process-metrics.ts';
import { createCounter, createHistogram } from './tally.ts';

export interface MetricsSetting {
  readonly log: Log;
  readonly version: string;
  /** Node's own numbers (memory, event-loop delay, garbage collection); off in tests. */
  readonly processMetrics?: boolean;
  /** For tests; otherwise all that the controller declares. */
  readonly declarations?: readonly MetricDeclaration[];
}

/** A sink that can be read as a page. */
export interface Metrics extends MetricsSink {
  /** The page in Prometheus text format. */
  page(): Promise<string>;
  readonly contentType: string;
}

type Labels = Readonly<Record<string, string>>;

/** One declared metric, made real. Wrong uses (a label that is not declared, a number that is none) report nothing. */
interface Instrument {
  readonly kind: MetricDeclaration['kind'];
  record(value: number, labels: Labels): void;
}

/**
 * Makes the declared metrics real. Counting never throws and never lets the page grow without bound: an undeclared
 * name is logged once and ignored, a label value that is not expected becomes `other`.
 */
export function createMetrics(setting: MetricsSetting): Metrics {
  const registry = new Registry();
  if (setting.processMetrics === true) collectProcessMetrics(registry);
  const instruments = new Map(
    (setting.declarations ?? METRICS).map((declared) => [declared.name, create(declared, registry)]),
  );
  const reported = new Set<string>();

  const use = (name: string, kind: MetricDeclaration['kind'], value: number, labels: Labels): void => {
    const instrument = instruments.get(name);
    if (instrument?.kind === kind && Number.isFinite(value) && (kind !== 'counter' || value >= 0)) {
      instrument.record(value, labels);
      return;
    }
    if (reported.has(name) || reported.size > 100) return;
    reported.add(name);
    setting.log.warn('metric is used in a way that is not declared', { metric: name, use: kind, value });
  };

  const sink: Metrics = {
    count: (name, labels = {}, by = 1) => use(name, 'counter', by, labels),
    gauge: (name, value, labels = {}) => use(name, 'gauge', value, labels),
    observe: (name, value, labels = {}) => use(name, 'histogram', value, labels),
    page: () => registry.metrics(),
    contentType: registry.contentType,
  };
  sink.gauge('aegis_build_info', 1, { version: setting.version });
  return sink;
}

function create(declared: MetricDeclaration, registry: Registry): Instrument {
  const labelNames = Object.keys(declared.labels);
  const clean = labelCleaner(declared);
  const shape = { name: declared.name, help: declared.help, labelNames };
  const tally = { ...shape, clean, registry };
  switch (declared.kind) {
    case 'counter':
      return { kind: 'counter', record: createCounter(tally) };
    case 'gauge': {
      const gauge = new Gauge({ ...shape, registers: [registry] });
      return { kind: 'gauge', record: (value, labels) => gauge.set(clean(labels), value) };
    }
    case 'histogram':
      return { kind: 'histogram', record: createHistogram(tally, declared.buckets) };
  }
}

/** Exactly the declared labels, each with a value that its rule allows. */
function labelCleaner(declared: MetricDeclaration): (labels: Labels) => Record<string, string> {
  const rules = Object.entries(declared.labels).map(([name, rule]) => [name, labelValues(rule)] as const);
  return (labels) => {
    const clean: Record<string, string> = {};
    for (const [name, allow] of rules) clean[name] = allow(labels[name] ?? '');
    return clean;
  };
}
