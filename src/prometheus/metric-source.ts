import type { MetricSource, MetricWish, SourceError } from '../controller/ports.ts';
import { ok, type Result } from '../lib/result.ts';
import { backfill } from './backfill.ts';
import { labelOf } from './instant-vector.ts';
import { createLibrary, type Library } from './library.ts';
import { rateWindowMs, settingsOf, type MetricSourceOptions } from './options.ts';
import { createPoller, type OwnClock } from './poll.ts';
import { isPreset, PRESETS } from './presets.ts';
import { scopeQuery, type ScopedQuery } from './promql/scope-query.ts';
import { createInstantQuery, type InstantQuery } from './query-api.ts';
import { createTransport, type Transport } from './transport.ts';

/** The metric source, and what only people ask for: rules and metadata. */
export type PrometheusSource = MetricSource & Pick<Library, 'rules' | 'metadata'>;

/**
 * Throws for options that contradict each other; everything later is a returned value. `transport`: one that others use
 * too; it is closed with the source.
 */
export function createMetricSource(
  options: MetricSourceOptions,
  clock: OwnClock,
  transport: Transport = createTransport(options),
): PrometheusSource {
  const settings = settingsOf(options);
  const ask = createInstantQuery(transport, settings.limits, settings.timeoutMs);
  const library = createLibrary(transport, settings.limits);
  const scope = createScopeCache();
  const poller = createPoller(ask, scope, { ...settings, clock });
  return {
    poll: (wishes, nowMs) => poller.poll(wishes, nowMs),
    async backfill(wish, fromMs, toMs, stepMs) {
      await poller.discover(new Set([wish.namespace]), toMs);
      const aheadMs = poller.aheadMs();
      return backfill(library, wish, poller.context(), { fromMs: fromMs + aheadMs, toMs: toMs + aheadMs, stepMs });
    },
    firingAlerts: () => firingAlerts(library, ask),
    lookBackMs: (wish) => lookBackOf(wish, scope, rateWindowMs(settings.scrapeIntervalMs)),
    checkQueries: (wish) =>
      wish.metrics.flatMap(({ name, query }) => {
        if (query === undefined) return isPreset(name) ? [] : [{ metric: name, message: `no preset ${name}` }];
        const scoped = scope(query, wish.namespace);
        return scoped.ok ? [] : [{ metric: name, message: scoped.error }];
      }),
    rules: () => library.rules(),
    metadata: (metric) => library.metadata(metric),
    close: () => transport.close(),
  };
}

/**
 * Names of all alerts that fire: the union of the alerts API and the `ALERTS` series. Either may be blind: some servers
 * answer the API with an empty list because their rules run elsewhere, others have no series of it. Both must answer;
 * only a server without that API (404) is taken by its series alone.
 */
async function firingAlerts(library: Library, ask: InstantQuery): Promise<Result<readonly string[], SourceError>> {
  const [listed, series] = await Promise.all([
    library.firingAlerts(),
    ask('count by (alertname) (ALERTS{alertstate="firing"})'),
  ]);
  if (!series.ok) return series;
  if (series.value.partial !== undefined) {
    return { ok: false, error: { kind: 'Partial', message: series.value.partial } };
  }
  if (!listed.ok && !listed.error.message.startsWith('status 404')) return listed;
  const names = series.value.rows.map((row) => labelOf(row, 'alertname') ?? '');
  return ok([...new Set([...names, ...(listed.ok ? listed.value : [])])].filter((name) => name !== '').sort());
}

function lookBackOf(wish: MetricWish, scope: ScopeQuery, rateMs: number): number {
  if (wish.metrics.length === 0) return rateMs;
  return wish.metrics.reduce((longest, { name, query }) => {
    if (query === undefined)
      return isPreset(name) && PRESETS[name].sources.length > 0 ? Math.max(longest, rateMs) : longest;
    const scoped = scope(query, wish.namespace);
    return scoped.ok ? Math.max(longest, scoped.value.lookBackMs) : longest;
  }, 0);
}

type ScopeQuery = (query: string, namespace: string) => Result<ScopedQuery, string>;

const MAX_CACHED = 5000;

/** Parsing costs far more than looking up; the oldest entry leaves when the cache is full. */
function createScopeCache(): ScopeQuery {
  const cache = new Map<string, Result<ScopedQuery, string>>();
  return (query, namespace) => {
    const key = `${namespace} ${query}`;
    const known = cache.get(key);
    if (known !== undefined) return known;
    const scoped = scopeQuery(query, namespace);
    const oldest = cache.keys().next();
    if (cache.size >= MAX_CACHED && oldest.done !== true) cache.delete(oldest.value);
    cache.set(key, scoped);
    return scoped;
  };
}
