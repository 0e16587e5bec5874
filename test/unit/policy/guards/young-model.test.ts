import { describe, expect, test } from '@jest/globals';
import type { MetricVerdict, WorkloadVerdict } from '../../../../src/detection/verdict.ts';
import type { EvidenceSource } from '../../../../src/diagnosis/diagnosis.ts';
import { youngModel } from '../../../../src/policy/guards/young-model.ts';
import { aDiagnosis, aMetric, aModel, aPodVerdict, aVerdict } from '../../../support/builders/incident.ts';
import { inputFor } from '../../../support/builders/effects.ts';
import { aGuardInput, aProposal } from '../../../support/builders/policy.ts';
import { podRef } from '../../../support/builders/workload.ts';

const young = aMetric('response_time', 400, 0.95, [aModel('recent', true)]);
const agreed = aMetric('response_time', 400, 0.95, [aModel('recent', true), aModel('past', true)]);
const by = (
  detector: 'peers' | 'limit' | 'saturation' | 'trend' | 'shape' | 'seasonal',
  score = 0.9,
): MetricVerdict => ({
  ...young,
  detectors: [...young.detectors, { kind: 'score', score, detector, feature: '', observed: 400, samples: 5 }],
});
const ill = (index: number, ...metrics: MetricVerdict[]) =>
  aPodVerdict(podRef(index), { state: 'unhealthy', score: 0.95, metrics });
const polled = (...pods: WorkloadVerdict['pods']): WorkloadVerdict => aVerdict({ pods });
const evidence = (source: EvidenceSource, weight: number) => {
  const plain = aDiagnosis();
  return {
    ...plain,
    candidates: plain.candidates.map((each) => ({ ...each, evidence: [{ source, what: '', weight }] })),
  };
};
const broken = { reason: 'CrashLoopBackOff', message: '', severity: 0.95 };

describe('a young model alone justifies nothing', () => {
  test.each<[string, MetricVerdict, boolean]>([
    ['the young model alone objects', young, false],
    ['the young and the past agree', agreed, true],
    ['the past has followed already', aMetric('m', 9, 0.9, [aModel('recent', true), aModel('past', false)]), false],
    ['only the past objects: the young one has followed', aMetric('m', 9, 0.9, [aModel('recent', false), aModel('past', true)]), false],
    ['the young one and the day agree', aMetric('m', 9, 0.9, [aModel('recent', true), aModel('past', false), aModel('day', true)]), true],
    ['the past and the week agree', aMetric('m', 9, 0.9, [aModel('recent', false), aModel('past', true), aModel('week', true)]), true],
    ['a score that says nothing of its models', aMetric('m', 9, 0.9, []), false],
    ['young, but a limit is breached', by('limit'), true],
    ['young, but the scale ends', by('saturation'), true],
    ['young, but its replicas do not do it', by('peers'), true],
    ['young, but it is about to meet its limit', by('trend'), true],
    ['young, and its replicas find it ordinary', by('peers', 0.4), false],
    ['young, and its shape is odd: one model more of the same age', by('shape'), false],
    ['calm metrics need no second opinion', aMetric('response_time', 50, 0.3, []), true],
    ['what load explains does not count', { ...young, discounted: 'ExplainedByLoad' }, true],
  ])('%s: passes is %p', (_, metric, passes) => {
    const found = youngModel.check(aGuardInput({ verdict: polled(ill(0, metric)) }));
    expect(found?.reason).toBe(passes ? undefined : 'YoungModel');
  }); // prettier-ignore

  test.each<[string, Partial<Parameters<typeof youngModel.check>[0]>, boolean]>([
    ['the pod itself is broken', { verdict: polled({ ...ill(0, young), status: [broken] }) }, true],
    ['its logs name the failure', { verdict: polled(ill(0, young)), diagnosis: evidence('log', 2) }, true],
    ['its logs speak against it', { verdict: polled(ill(0, young)), diagnosis: evidence('log', -2) }, false],
    ['a change explains it', { verdict: polled(ill(0, young)), diagnosis: evidence('change', 1) }, true],
    ['another metric of the pod is agreed on', { verdict: polled(ill(0, young, agreed)) }, true],
    ['another pod is agreed on, but is not the one that is treated', { verdict: polled(ill(0, young), ill(1, agreed)) }, false],
    ['one of two treated pods is not', { verdict: polled(ill(0, young), ill(1, agreed)), proposal: aProposal({ pods: [podRef(0), podRef(1)] }) }, false],
    ['its logs say nothing either way', { verdict: polled(ill(0, young)), diagnosis: evidence('log', 0) }, false],
    ['metrics alone speak for it', { verdict: polled(ill(0, young)), diagnosis: evidence('metric', 2) }, false],
    ['no type is a candidate', { verdict: polled(ill(0, young)), diagnosis: { ...aDiagnosis(), candidates: [] } }, false],
    ['the pod’s status is odd, but not broken', { verdict: polled({ ...ill(0, young), status: [{ ...broken, severity: 0.3 }] }) }, false],
    ['an untreated pod is young, the treated one agreed on', { verdict: polled(ill(0, agreed), ill(1, young)) }, true],
    ['nothing is odd on the treated pod', { verdict: polled(ill(0), ill(1, young)) }, true],
    ['exactly at the threshold counts', { verdict: polled(ill(0, aMetric('m', 9, 0.85, [aModel('recent', true)]))) }, false],
    ['the workload’s own metric is young too', { verdict: { ...polled(ill(0, young)), workloadMetrics: [young] } }, false],
  ])('%s: passes is %p', (_, over, passes) => {
    expect(youngModel.check(aGuardInput(over)) === undefined).toBe(passes);
  }); // prettier-ignore

  test('for the whole workload one agreed pod is enough, none is not', () => {
    const whole = inputFor('scale_up');
    const check = (...pods: WorkloadVerdict['pods']) => youngModel.check({ ...whole, verdict: polled(...pods) });
    expect(check(ill(0, young), ill(1, agreed))).toBeUndefined();
    expect(check(ill(0, young), ill(1, young))?.reason).toBe('YoungModel');
  });

  test('its sentence names the models, their samples and who objects', () => {
    const metric = aMetric('response_time', 400, 0.95, [aModel('recent', true), aModel('past', false)]);
    expect(youngModel.check(aGuardInput({ verdict: polled(ill(0, metric)) }))?.message).toBe(
      `pod ${podRef(0).name}: models of two ages must agree; response_time: recent (60 samples) objects, past (500 samples) does not`,
    );
  });
});
