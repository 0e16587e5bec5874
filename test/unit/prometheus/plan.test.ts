import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { MetricWish } from '../../../src/controller/ports.ts';
import { quote } from '../../../src/lib/label-matcher.ts';
import { chunk, createChunkSizes } from '../../../src/prometheus/chunks.ts';
import { discoveryQuery } from '../../../src/prometheus/discovery.ts';
import { planPoll, type PlanContext, type PlannedQuery } from '../../../src/prometheus/plan.ts';
import { presetQuery, type PresetSource } from '../../../src/prometheus/preset-source.ts';
import { ALL_SOURCES, PRESET_NAMES, PRESETS } from '../../../src/prometheus/presets.ts';
import { scopeQuery } from '../../../src/prometheus/promql/scope-query.ts';
import { nodesNamed, parseQuery } from '../../../src/prometheus/promql/syntax.ts';
import { aPreset, aQuery, aWish } from '../../support/builders/prometheus.ts';

const windows = { rateMs: 120_000, youngMs: 60_000, freshMs: 60_000 };
const context = (change: Partial<PlanContext> = {}): PlanContext => ({
  windows,
  chunkSizes: createChunkSizes(),
  exists: (_, source) => ['container', 'http'].includes(source.id),
  isKnown: () => true,
  scope: scopeQuery,
  ...change,
});
const only = (...probes: string[]): Partial<PlanContext> => ({ exists: (_, source) => probes.includes(source.probe) });
const namesOf = ({ queries }: { queries: readonly PlannedQuery[] }): string[] =>
  queries.map(({ subject }) => (subject.kind === 'preset' ? subject.sourceKey : 'author'));

/** The namespaces that the selectors of a query name; fails for a selector without such a matcher. */
function namespacesIn(promql: string, label: string): Set<string> {
  const parsed = parseQuery(promql, Number.POSITIVE_INFINITY);
  if (!parsed.ok) throw new Error(`${parsed.error} in ${promql}`);
  const { text, tree } = parsed.value;
  const found = new Set<string>();
  for (const selector of nodesNamed(tree, 'VectorSelector')) {
    const matchers = (selector.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []).map((node) =>
      text.slice(node.from, node.to),
    );
    const own = matchers.filter((matcher) => new RegExp(`^${label}(=|=~)"`).test(matcher));
    if (own.length !== 1) throw new Error(`a selector without namespace: ${text.slice(selector.from, selector.to)}`);
    const value = JSON.parse((own[0] ?? '').replace(/^\w+=~?/, '')) as string;
    for (const name of value.split('|')) found.add(name);
  }
  return found;
}

describe('presets', () => {
  test.each(ALL_SOURCES.map((source): [string, PresetSource] => [`${source.id} ${source.probe}`, source]))(
    '%s is valid PromQL, and each of its selectors names exactly the namespaces',
    (_, source) => {
      const promql = presetQuery(source, ['a', 'b-c'], windows);
      expect(namespacesIn(promql, source.labels.namespace)).toEqual(new Set(['a', 'b-c']));
    },
  );

  test('so is what discovery asks', () => {
    const parsed = parseQuery(discoveryQuery(['a', 'b']), Number.POSITIVE_INFINITY);
    expect(parsed.ok).toBe(true);
  });

  test('windows follow the scrape interval', () => {
    const [cpu] = PRESETS.cpu_usage.sources;
    const [memory] = PRESETS.memory_usage.sources;
    if (cpu === undefined || memory === undefined) throw new Error('no source');
    expect(presetQuery(cpu, ['a'], windows)).toContain('[120s]');
    expect(presetQuery(memory, ['a'], windows)).toContain('last_over_time(');
    expect(presetQuery(memory, ['a'], windows)).toContain('[60s]');
  });

  test('every preset but the restarts has a source', () => {
    expect(PRESET_NAMES.filter((name) => PRESETS[name].sources.length === 0)).toEqual(['restarts']);
  });
});

describe('how many queries', () => {
  test('1,000 policies in 20 namespaces need as many as one in each', () => {
    const wishes = (perNamespace: number): MetricWish[] =>
      Array.from({ length: 20 * perNamespace }, (_, i) => aWish({ policyUid: `${i}`, namespace: `ns-${i % 20}` }));
    const few = planPoll(wishes(1), context());
    const many = planPoll(wishes(50), context());
    expect(many.queries).toEqual(few.queries);
    expect(few.queries).toHaveLength(7);
    expect(many.wants).toHaveLength(1000);
  });

  test('they grow with chunks of namespaces', () => {
    const wishes = Array.from({ length: 120 }, (_, i) =>
      aWish({ namespace: `ns-${i}`, metrics: [aPreset('cpu_usage')] }),
    );
    expect(planPoll(wishes, context()).queries).toHaveLength(3);
  });

  test('an author’s query that several policies of a namespace share is asked once', () => {
    const metrics = [aQuery('sum(x)')];
    const wishes = [aWish({ metrics }), aWish({ metrics }), aWish({ metrics, namespace: 'bank' })];
    expect(planPoll(wishes, context()).queries).toHaveLength(2);
  });

  test('restarts come from pod objects', () => {
    const plan = planPoll([aWish({ metrics: [aPreset('restarts')] })], context());
    expect(plan).toEqual({ queries: [], wants: [[]] });
  });
});

describe('which source', () => {
  test.each<[string, Partial<MetricWish>, Partial<PlanContext>, string[]]>([
    [
      'no metrics named: every preset for which series exist',
      {},
      only('container_cpu_usage_seconds_total', 'istio_requests_total'),
      ['cpu_usage/container', 'request_rate/istio', 'error_rate/istio'],
    ],
    [
      'inside of the pod before in front of it',
      { metrics: [aPreset('request_rate')] },
      only('nginx_ingress_controller_requests', 'http_requests_total'),
      ['request_rate/http'],
    ],
    [
      'the source that the policy names',
      { metrics: [aPreset('request_rate')], trafficSource: 'IngressNginx' },
      only('nginx_ingress_controller_requests', 'http_requests_total'),
      ['request_rate/nginx-exported'],
    ],
    [
      'a named preset with one possible source is asked for whether or not it exists',
      { metrics: [aPreset('cpu_usage')] },
      only(),
      ['cpu_usage/container'],
    ],
    ['a named preset with none of several is not', { metrics: [aPreset('request_rate')] }, only(), []],
    [
      'where discovery has never answered, what needs none is asked',
      {},
      { isKnown: () => false, ...only() },
      [
        'cpu_usage/container',
        'memory_usage/container',
        'disk_io/container',
        'cpu_throttling/container',
        'volume_usage/kubelet',
      ],
    ],
  ])('%s', (_, wish, change, expected) => {
    expect(namesOf(planPoll([aWish(wish)], context(change)))).toEqual(expected);
  });

  test('what discovery’s failure leaves open says so', () => {
    const discoveryError = { kind: 'Timeout', message: 'late' } as const;
    const plan = planPoll(
      [aWish({ metrics: [aPreset('error_rate')] })],
      context({ ...only(), isKnown: () => false, discoveryError }),
    );
    expect(plan.wants[0]).toEqual([{ metric: 'error_rate', unit: 'ratio', problem: discoveryError }]);
  });

  test('an unknown preset and a refused query are problems of their own', () => {
    const plan = planPoll([aWish({ metrics: [aPreset('cpu'), aQuery('sum('), aPreset('cpu_usage')] })], context());
    expect(plan.wants[0]?.map(({ problem }) => problem?.kind)).toEqual(['QueryInvalid', 'QueryInvalid', undefined]);
    expect(plan.queries).toHaveLength(1);
  });
});

describe('S7: nobody sees another namespace', () => {
  const name = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);
  test('law: a merged query names exactly the merged policies’ namespaces, each in one chunk', () => {
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 150 }), (namespaces) => {
        const plan = planPoll(
          namespaces.map((namespace) => aWish({ namespace, metrics: [aPreset('cpu_usage')] })),
          context(),
        );
        const asked = plan.queries.map(({ promql }) => [...namespacesIn(promql, 'namespace')]).flat();
        expect(asked.sort()).toEqual([...new Set(namespaces)].sort());
      }),
      { numRuns: 60 },
    );
  });

  test('a namespace with characters of regular expressions matches only itself', () => {
    const plan = planPoll(
      [aWish({ namespace: 'a.*' }), aWish({ namespace: 'b|c' })].map((wish) => ({
        ...wish,
        metrics: [aPreset('cpu_usage')],
      })),
      context(),
    );
    expect(plan.queries[0]?.promql).toContain(`namespace=~${quote('a\\.\\*|b\\|c')}`);
  });
});

describe('chunks', () => {
  test('law: every namespace once, and no chunk above its bounds', () => {
    const bounds = { maxNamespaces: 7, maxChars: 60 };
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1, maxLength: 30 })), (namespaces) => {
        const chunks = chunk(namespaces, bounds);
        expect(chunks.flat().sort()).toEqual([...new Set(namespaces)].sort());
        for (const part of chunks) {
          expect(part.length).toBeLessThanOrEqual(7);
          if (part.length > 1) expect(part.join('|').length).toBeLessThanOrEqual(60);
        }
      }),
    );
  });

  test('what was too large together is halved, what is too large alone is kept apart', () => {
    const sizes = createChunkSizes({ maxNamespaces: 4, maxChars: 100 });
    const names = ['a', 'b', 'c', 'd'];
    sizes.tooLarge('cpu', names);
    expect(sizes.plan('cpu', names)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    expect(sizes.plan('memory', names)).toEqual([names]);
    sizes.tooLarge('cpu', ['b']);
    expect(sizes.plan('cpu', names)).toEqual([['a', 'c', 'd'], ['b']]);
  });
});
