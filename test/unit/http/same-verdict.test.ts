import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { FeatureExplanation, MetricSample } from '../../../src/controller/detection-api.ts';
import { seriesKeyOf } from '../../../src/controller/request-judge.ts';
import { createEngine } from '../../../src/detection/engine.ts';
import { metricSpec } from '../../../src/detection/metric-profile.ts';
import { anApi, type Api } from '../../support/builders/http.ts';
import { fakeClock } from '../../support/fake-clock.ts';

/**
 * One question, one answer: however the samples of some series reach the API, each is judged alike, and as an engine
 * judges it that has never heard of HTTP.
 */

const START = Date.UTC(2026, 0, 5, 6);
const STEP_MS = 15_000;

type Answer = { readonly details: { readonly features: Readonly<Record<string, FeatureExplanation>> } };

/** Two or three series, polled in turn; calm for most of the time, with jumps and edges. */
const history = fc
  .array(
    fc.record({
      series: fc.constantFrom(0, 1, 2),
      value: fc.oneof(
        { weight: 12, arbitrary: fc.double({ min: 20, max: 40, noNaN: true }) },
        { weight: 2, arbitrary: fc.constantFrom(95, 0, -0, 250, 5e-324, 1.7e308) },
      ),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((all) =>
    all.map(({ series, value }, i): MetricSample => {
      const metricType = ['cpu_usage', 'response_time', 'queue_depth'][series] ?? '';
      return { metricType, value, atMs: START + i * STEP_MS, labels: { pod: 'api-1', zone: 'a' } };
    }),
  );

const bodyOf = (samples: readonly MetricSample[]): string =>
  JSON.stringify({
    metrics: samples.map(({ metricType, value, atMs, labels }) => ({
      ...{ metric_type: metricType, value, labels, timestamp: new Date(atMs).toISOString() },
    })),
  });

/** Long enough that its own past speaks, and then a jump. */
const LEARNT: readonly MetricSample[] = Array.from({ length: 150 }, (_, i) => ({
  metricType: 'response_time',
  value: i < 140 ? 100 + ((i * 7) % 11) : 400,
  atMs: START + i * STEP_MS,
  labels: { pod: 'api-1' },
}));

/** An API whose clock stands where all samples are past. */
async function withApi<T>(run: (api: Api) => Promise<T>): Promise<T> {
  const api = await anApi({ deps: { clock: fakeClock(START + 3_600_000) }, options: { rate: { perKey: 1e6 } } });
  try {
    return await run(api);
  } finally {
    await api.stop();
  }
}

const oneByOne = (samples: readonly MetricSample[]): Promise<readonly Answer[]> =>
  withApi(async (api) => {
    const answers: Answer[] = [];
    for (const sample of samples) {
      answers.push((await api.post('/api/v1/detect-anomaly', bodyOf([sample]))).json as unknown as Answer);
    }
    return answers;
  });

const asBatch = (samples: readonly MetricSample[]): Promise<readonly Answer[]> =>
  withApi(async (api) => {
    const lines = samples.map((sample) => bodyOf([sample])).join('\n');
    const headers = { 'content-type': 'application/x-ndjson' };
    const { text } = await api.post('/api/v1/detect-anomaly/batch', lines, { headers });
    return text.split('\n').flatMap((line) => (line === '' ? [] : [(JSON.parse(line) as { answer: Answer }).answer]));
  });

const atOnce = (samples: readonly MetricSample[]): Promise<Answer> =>
  withApi(async (api) => (await api.post('/api/v1/detect-anomaly', bodyOf(samples))).json as unknown as Answer);

/** What a request explains of a metric beside its share of the whole. */
const judgement = ({ score, observed, timestamp, baseline, detectors, samples }: FeatureExplanation) => ({
  ...{ score, observed, timestamp, baseline, detectors, samples },
});

const judgements = ({ details }: Answer) =>
  Object.fromEntries(Object.entries(details.features).map(([metric, feature]) => [metric, judgement(feature)]));

/** The worst judgement of each metric; at equal scores the latest. */
function worstOf(answers: readonly Answer[]) {
  const worst: Record<string, ReturnType<typeof judgement>> = {};
  for (const [metric, feature] of answers.flatMap((answer) => Object.entries(judgements(answer)))) {
    if (worst[metric] === undefined || feature.score >= worst[metric].score) worst[metric] = feature;
  }
  return worst;
}

/** The same samples, put to an engine as the operator has one. */
function byEngine(samples: readonly MetricSample[]) {
  const engine = createEngine({ seed: 1 });
  const settings = {
    ...{ anomalyThreshold: 0.85, minSamples: 100, maxSampleAgeMs: Number.MAX_SAFE_INTEGER, intervalMs: 3_600_000 },
  };
  return samples.map((sample) => {
    const reading = { kind: 'value', value: sample.value, atMs: sample.atMs } as const;
    const spec = metricSpec(sample.metricType);
    const { detectors } = engine.judgeSeries(seriesKeyOf(sample), spec, reading, settings, START + 3_600_000);
    return {
      score: detectors[0]?.score ?? 0,
      // Answers show four digits of each detector's.
      detectors: detectors.map(({ detector, feature, score }) => ({
        detector,
        feature,
        score: Math.round(score * 1e4) / 1e4,
      })),
    };
  });
}

describe('the same samples', () => {
  test('of a long history have a past that speaks', async () => {
    const last = (await oneByOne(LEARNT)).at(-1)?.details.features['response_time'];
    expect(last?.score).toBeGreaterThan(0.85);
    expect(last?.detectors.map(({ detector }) => detector)).toContain('own-history');
  });

  test('get the same verdict one by one, as a batch, at once, and from an engine without an API', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (samples) => {
        const singles = await oneByOne(samples);
        expect(await asBatch(samples)).toEqual(singles);
        expect(judgements(await atOnce(samples))).toEqual(worstOf(singles));
        const explained = singles.map(({ details }) => Object.values(details.features)[0]);
        expect(explained.map((one) => ({ score: one?.score, detectors: one?.detectors }))).toEqual(byEngine(samples));
      }),
      { numRuns: 25, examples: [[[...LEARNT]]] },
    );
  });
});
