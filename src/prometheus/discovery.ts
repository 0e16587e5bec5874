import type { SourceError } from '../controller/ports.ts';
import { chunk, DEFAULT_BOUNDS } from './chunks.ts';
import { labelOf } from './instant-vector.ts';
import type { IdentityLabels, PresetSource } from './preset-source.ts';
import { ALL_SOURCES } from './presets.ts';
import { oneOf } from '../lib/label-matcher.ts';
import type { InstantQuery } from './query-api.ts';

/**
 * A namespace where something was found is looked at again after 10 scrapes, at most 5 min; one where nothing was, after
 * 2, at most a minute: new pods begin to show their series one by one.
 */
const foundPeriodMs = (scrapeIntervalMs: number): number => Math.min(300_000, 10 * scrapeIntervalMs);
const nothingPeriodMs = (scrapeIntervalMs: number): number => Math.min(60_000, 2 * scrapeIntervalMs);
/** A source that was there stays wanted for so long: its silence is to be seen, not forgotten. */
const KEEP_MS = 3_600_000;

/** Which sources have series in which namespace. */
export interface Discovery {
  /** Asks about namespaces whose answer is due; returns how many queries that took and what went wrong. */
  refresh(namespaces: ReadonlySet<string>, nowMs: number): Promise<{ queries: number; error?: SourceError }>;
  /** False also means "not known". */
  has(namespace: string, source: PresetSource): boolean;
  /** Was the namespace ever answered for? */
  isKnown(namespace: string): boolean;
}

interface Found {
  checkedAtMs: number;
  /** Label style and metric name -> when it was last seen. */
  readonly seenAtMs: Map<string, number>;
}

const keyOf = (namespaceLabel: string, metric: string): string => `${namespaceLabel} ${metric}`;

/** One cheap query for all sources of a chunk of namespaces, its answer kept for minutes. */
export function createDiscovery(ask: InstantQuery, scrapeIntervalMs: number): Discovery {
  const known = new Map<string, Found>();

  const isDue = (namespace: string, nowMs: number): boolean => {
    const found = known.get(namespace);
    if (found === undefined || found.checkedAtMs > nowMs) return true;
    const period = found.seenAtMs.size > 0 ? foundPeriodMs : nothingPeriodMs;
    return nowMs - found.checkedAtMs >= period(scrapeIntervalMs);
  };

  const take = async (namespaces: readonly string[], nowMs: number): Promise<SourceError | undefined> => {
    const reply = await ask(discoveryQuery(namespaces));
    if (!reply.ok) return reply.error;
    for (const namespace of namespaces) {
      const found = known.get(namespace) ?? { checkedAtMs: nowMs, seenAtMs: new Map<string, number>() };
      found.checkedAtMs = nowMs;
      for (const [key, atMs] of found.seenAtMs) if (nowMs - atMs > KEEP_MS) found.seenAtMs.delete(key);
      known.set(namespace, found);
    }
    for (const row of reply.value.rows) {
      const metric = labelOf(row, '__name__');
      for (const label of NAMESPACE_LABELS) {
        const namespace = labelOf(row, label);
        if (metric !== undefined && namespace !== undefined) {
          known.get(namespace)?.seenAtMs.set(keyOf(label, metric), nowMs);
        }
      }
    }
    return undefined;
  };

  return {
    async refresh(namespaces, nowMs) {
      for (const [namespace, found] of known) if (nowMs - found.checkedAtMs > KEEP_MS) known.delete(namespace);
      const due = [...namespaces].filter((namespace) => isDue(namespace, nowMs));
      const chunks = chunk(due, DEFAULT_BOUNDS);
      const errors = await Promise.all(chunks.map((part) => take(part, nowMs)));
      const error = errors.find((each) => each !== undefined);
      return { queries: chunks.length, ...(error === undefined ? {} : { error }) };
    },
    has: (namespace, source) => known.get(namespace)?.seenAtMs.has(KEY_OF_SOURCE.get(source) ?? '') ?? false,
    isKnown: (namespace) => known.has(namespace),
  };
}

/** Made once: each poll asks for every source of every policy. */
const KEY_OF_SOURCE = new Map(ALL_SOURCES.map((source) => [source, keyOf(source.labels.namespace, source.probe)]));

const NAMESPACE_LABELS = [...new Set(ALL_SOURCES.map((source) => source.labels.namespace))];

/** `count by (namespace, __name__) (...)`, once for each label that may hold the namespace. */
export function discoveryQuery(namespaces: readonly string[]): string {
  return NAMESPACE_LABELS.map((label) => {
    const names = probesUnder(label);
    return `count by (${label}, __name__) ({${oneOf('__name__', names)},${oneOf(label, namespaces)}})`;
  }).join(' or ');
}

function probesUnder(label: IdentityLabels['namespace']): readonly string[] {
  return [...new Set(ALL_SOURCES.filter((source) => source.labels.namespace === label).map((source) => source.probe))];
}
