import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CALM, stepIncident } from '../../../src/detection/incident-step.ts';
import { mayReturnUntilMs } from '../../../src/detection/incident.ts';
import type { IncidentContext, IncidentHistory, IncidentStep } from '../../../src/detection/incident-step.ts';
import type { MetricVerdict, WorkloadVerdict } from '../../../src/detection/verdict.ts';
import { anIncident } from '../../support/builders/incident.ts';
import { STEP, T0, aPodVerdict, aPollVerdict } from '../../support/builders/detection.ts';

const TRIGGER = { breaches: 3, polls: 5, closeAfter: 3 };
const CONTEXT = { policyUid: 'p1', intervalMs: STEP, anomalyThreshold: 0.85 };
const LETTERS = { B: 'unhealthy', g: 'healthy', '?': 'unknown' } as const;

/** Plays polls written as letters: B breach, g good, ? unknown, n nearly well. */
function play(polls: string, from: IncidentHistory | undefined = undefined): IncidentStep[] {
  let history = from;
  return [...polls].map((letter, i) => {
    const atMs = T0 + i * STEP;
    const verdict =
      letter === 'n'
        ? aPollVerdict('healthy', atMs, { score: 0.84 })
        : aPollVerdict(LETTERS[letter as keyof typeof LETTERS], atMs);
    const step = stepIncident(history, verdict, TRIGGER, CONTEXT);
    history = step.history;
    return step;
  });
}

const transitions = (polls: string): string =>
  play(polls)
    .map(({ transition }) => transition[0])
    .join('');

describe('opening and closing', () => {
  test.each([
    ['three of five breaches open', 'BgBgB', 'nnnno'],
    ['three in a row open', 'BBB', 'nno'],
    ['two of five do not', 'BgBgg', 'nnnnn'],
    ['a breach that has left the window does not count', 'BgggBggBg', 'nnnnnnnnn'],
    ['an unknown poll takes no place in the window', 'BB??B', 'nnnno'],
    ['unknown polls alone open nothing', '??????', 'nnnnnn'],
    ['three good polls close', 'BBBggg', 'nnouur'],
    ['a breach between starts the count anew', 'BBBggBggg', 'nnouuuuur'],
    ['unknown polls neither close nor break the count', 'BBBg?g?g', 'nnounun'.slice(0, 7) + 'r'],
    ['nearly well is neither', 'BBBgnngg', 'nnouuuur'],
    ['after closing, fresh breaches are needed', 'BBBgggBB', 'nnouurnn'],
  ])('%s: %s', (_, polls, expected) => {
    expect(transitions(polls)).toBe(expected);
  });

  test('breaches far apart in time are no evidence together', () => {
    const at = (atMs: number): WorkloadVerdict => aPollVerdict('unhealthy', atMs);
    let history: IncidentHistory | undefined;
    for (const atMs of [T0, T0 + STEP, T0 + 3_600_000]) {
      const step = stepIncident(history, at(atMs), TRIGGER, CONTEXT);
      history = step.history;
      expect(step.transition).toBe('none');
    }
  });

  test('an opened incident names pods, metrics, onset and peak', () => {
    const { incident } = play('BgBB').at(-1) ?? {};
    expect(incident).toMatchObject({
      policyUid: 'p1',
      openedAtMs: T0 + 3 * STEP,
      onsetAtMs: T0,
      peakScore: 0.95,
      pods: [{ name: 'a', uid: 'a' }],
      metrics: ['memory_usage'],
      goodPolls: 0,
    });
    expect(incident?.id).toMatch(/^[0-9a-f]{32}$/);
  });

  test('a resolved incident carries its end, and the history keeps it for as long as it may come back', () => {
    const last = play('BBBggg').at(-1);
    expect(last?.incident?.resolvedAtMs).toBe(T0 + 5 * STEP);
    expect(last?.history).toEqual({ ...CALM, ended: last?.incident });
    expect(play(`BBBggg${'g'.repeat(QUARTER - 1)}`).at(-1)?.history.ended).toBeDefined();
    expect(play(`BBBggg${'g'.repeat(QUARTER)}`).at(-1)?.history.ended).toBeUndefined();
  });

  test('a pod of the incident that cannot be seen has not recovered', () => {
    const open = play('BBB').at(-1)?.history;
    const healthy = aPollVerdict('healthy', T0 + 3 * STEP);
    const blind = { ...healthy, pods: [aPodVerdict('a', { state: 'unknown' }), aPodVerdict('b')] };
    expect(stepIncident(open, blind, TRIGGER, CONTEXT).incident?.goodPolls).toBe(0);
    const gone = { ...healthy, pods: [aPodVerdict('b'), aPodVerdict('c')] };
    expect(stepIncident(open, gone, TRIGGER, CONTEXT).incident?.goodPolls).toBe(1);
  });
});

/** A quarter of an hour in polls. */
const QUARTER = 60;
const quiet = (polls: number): string => 'g'.repeat(polls);

describe('an incident that comes back', () => {
  test.each([
    ['within a quarter of an hour: the same', `BBBggg${quiet(QUARTER - 4)}BBB`, 'returned'],
    ['later: another', `BBBggg${quiet(QUARTER)}BBB`, 'opened'],
    ['three polls in band do not close it any more', `BBBgggBBBggg`, 'updated'],
    ['nor does a little less than a quarter of an hour', `BBBgggBBB${quiet(QUARTER - 1)}`, 'updated'],
    ['a quarter of an hour in band does', `BBBgggBBB${quiet(QUARTER)}`, 'resolved'],
    ['and what comes after that is another', `BBBgggBBB${quiet(QUARTER)}BBB`, 'opened'],
    ['unknown polls are no quiet', `BBBgggBBB${quiet(QUARTER - 1)}????`, 'none'],
  ])('%s', (_, polls, transition) => {
    expect(play(polls).at(-1)?.transition).toBe(transition);
  });

  test('keeps its id, its beginning and its peak, has an onset of its own, and counts how often', () => {
    const steps = play('BBBgggBBB');
    const [first, back] = [steps[2]?.incident, steps.at(-1)?.incident];
    expect(back).toMatchObject({ id: first?.id, openedAtMs: first?.openedAtMs, returns: 1 });
    expect(back?.onsetAtMs).toBe(T0 + 6 * STEP);
    expect(back?.resolvedAtMs).toBeUndefined();
    expect(play('BBBgggBBBgggB').at(-1)?.incident?.returns).toBe(2);
    expect(play('BBBgggBBBggB').at(-1)?.incident?.returns).toBe(1);
  });

  const back = (over: Partial<WorkloadVerdict>, context: Partial<IncidentContext> = {}) => {
    const before = play('BBBgggBB').at(-1);
    const verdict = { ...aPollVerdict('unhealthy', T0 + 8 * STEP), ...over };
    return stepIncident(before?.history, verdict, TRIGGER, { ...CONTEXT, ...context });
  };
  const grave = [{ reason: 'CrashLoopBackOff', message: 'app', severity: 0.95 }];

  test.each<[string, Partial<WorkloadVerdict>, Partial<IncidentContext>, string]>([
    ['on the same metric', {}, {}, 'returned'],
    ['after an effect had healed it', {}, { isHealed: () => true }, 'opened'],
    ['with a grave status', { status: grave }, {}, 'opened'],
    ['on none of its metrics', { pods: [], workloadMetrics: [] }, {}, 'opened'],
  ])('%s: %s', (_, over, context, transition) => {
    expect(back(over, context).transition).toBe(transition);
  });

  test('an incident of status alone does not come back: pods are ill or not', () => {
    expect(mayReturnUntilMs({ ...anIncident(), resolvedAtMs: 1, metrics: ['restarts'] })).toBeUndefined();
    expect(mayReturnUntilMs({ ...anIncident(), resolvedAtMs: 1, metrics: ['restarts', 'cpu_usage'] })).toBe(900_001);
  });

  test('law: however a metric swings, two incidents begin a quarter of an hour apart', () => {
    const run = fc.record({ letter: fc.constantFrom('B', 'g', '?', 'n'), times: fc.integer({ min: 1, max: 80 }) });
    fc.assert(
      fc.property(fc.array(run, { minLength: 2, maxLength: 30 }), (runs) => {
        const steps = play(runs.map(({ letter, times }) => letter.repeat(times)).join(''));
        const opened = steps.flatMap(({ transition }, i) => (transition === 'opened' ? [i] : []));
        opened.slice(1).forEach((at, i) => expect(at - (opened[i] ?? at)).toBeGreaterThanOrEqual(QUARTER));
      }),
    );
  });
});

describe('status that has lasted', () => {
  const crash = (sinceMs: number | undefined, severity = 0.95): WorkloadVerdict => {
    const finding = { reason: 'CrashLoopBackOff', message: 'app', severity };
    return aPollVerdict('unhealthy', T0, { status: [sinceMs === undefined ? finding : { ...finding, sinceMs }] });
  };

  test.each([
    ['as long as three polls take: opens at once', T0 - 3 * STEP, 0.95, 'opened'],
    ['for an hour: opens at once', T0 - 3_600_000, 0.95, 'opened'],
    ['only just: counts like any breach', T0 - STEP, 0.95, 'none'],
    ['of unknown age: counts like any breach', undefined, 0.95, 'none'],
    ['but only evidence: no short cut', T0 - 3_600_000, 0.5, 'none'],
    ['and is just grave enough', T0 - 3 * STEP, 0.85, 'opened'],
    ['and is not quite', T0 - 3 * STEP, 0.84, 'none'],
  ])('%s', (_, sinceMs, severity, transition) => {
    const step = stepIncident(undefined, crash(sinceMs, severity), TRIGGER, CONTEXT);
    expect(step.transition).toBe(transition);
    if (transition === 'opened') expect(step.incident?.onsetAtMs).toBe(sinceMs);
  });
});

describe('what an incident names', () => {
  const open = (over: Partial<WorkloadVerdict>): IncidentStep => {
    const [before] = play('BB').slice(-1);
    return stepIncident(before?.history, { ...aPollVerdict('unhealthy', T0 + 2 * STEP), ...over }, TRIGGER, CONTEXT);
  };
  const metric = (name: string, score: number): MetricVerdict => ({
    metric: name,
    verdict: { kind: 'score', score, detector: 'peers', feature: 'f', observed: 1, samples: 1 },
    detectors: [],
  });

  test('its unhealthy pods, the worst first', () => {
    const pods = [
      aPodVerdict('a', { state: 'unhealthy', score: 0.9 }),
      aPodVerdict('b', { state: 'unhealthy', score: 0.99 }),
      aPodVerdict('c', { score: 0.84 }),
    ];
    expect(open({ pods }).incident?.pods.map(({ name }) => name)).toEqual(['b', 'a']);
  });

  test('the metrics that reach the threshold, the worst first, of pods and of the workload', () => {
    const pods = [
      aPodVerdict('a', { metrics: [metric('cpu', 0.86), metric('memory', 0.9), metric('disk', 0.84)] }),
      aPodVerdict('b', { metrics: [metric('cpu', 0.95), metric('memory', 0.87)] }),
    ];
    const workloadMetrics = [metric('errors', 0.85), { ...metric('load', 0.99), discounted: 'LoadIsNoFault' as const }];
    expect(open({ pods, workloadMetrics }).incident?.metrics).toEqual(['cpu', 'memory', 'errors']);
  });

  test('the worst score since it opened, and the present one', () => {
    const at = (score: number, i: number): WorkloadVerdict => aPollVerdict('unhealthy', T0 + (2 + i) * STEP, { score });
    let step = open({ score: 0.9 });
    for (const [i, score] of [0.97, 0.88].entries()) step = stepIncident(step.history, at(score, i + 1), TRIGGER, CONTEXT);
    expect(step.incident).toMatchObject({ peakScore: 0.97, score: 0.88, updatedAtMs: T0 + 4 * STEP, openedAtMs: T0 + 2 * STEP });
  });

  test('a status of the workload that has lasted opens at once, from its beginning', () => {
    const status = [{ reason: 'FailedCreate', message: '', severity: 0.9, sinceMs: T0 - 9 * STEP }];
    const step = stepIncident(undefined, { ...aPollVerdict('unhealthy', T0), status }, TRIGGER, CONTEXT);
    expect([step.transition, step.incident?.onsetAtMs]).toEqual(['opened', T0 - 9 * STEP]);
  });

  test.each([
    [0.807, 1],
    [0.808, 0],
  ])('a poll with a score of %p, of a threshold of 0.85, is good: %p', (score, goodPolls) => {
    const before = play('BBB').at(-1);
    const step = stepIncident(before?.history, aPollVerdict('healthy', T0 + 3 * STEP, { score }), TRIGGER, CONTEXT);
    expect(step.incident?.goodPolls).toBe(goodPolls);
  });

  test.each([
    ['two windows ago still count', 10, 'opened'],
    ['longer ago do not', 10.1, 'none'],
    ['and a poll is not counted twice', 0, 'none'],
  ])('breaches %s', (_, later, transition) => {
    const before = play('BB').at(-1);
    const [first = T0] = before?.history.polls.map(({ atMs }) => atMs) ?? [];
    // The second breach is one step younger than the first.
    const atMs = later === 0 ? first + STEP : first + later * STEP;
    expect(stepIncident(before?.history, aPollVerdict('unhealthy', atMs), TRIGGER, CONTEXT).transition).toBe(transition);
  });
}); // prettier-ignore

describe('laws', () => {
  const polls = fc.string({ unit: fc.constantFrom('B', 'g', '?', 'n'), minLength: 1, maxLength: 60 });

  test('the same polls give the same incidents, also when the history went through JSON', () => {
    fc.assert(
      fc.property(polls, fc.nat(59), (letters, cut) => {
        const whole = play(letters);
        let history: IncidentHistory | undefined;
        [...letters].forEach((_letter, i) => {
          const step = play(letters.slice(0, i + 1), undefined).at(-1);
          if (i === cut) history = JSON.parse(JSON.stringify(step?.history)) as IncidentHistory;
        });
        if (history !== undefined) expect(history).toEqual(whole[cut]?.history);
      }),
      { numRuns: 30 },
    );
  });

  test('no incident opens on fewer breaches than asked for, none closes on fewer good polls', () => {
    fc.assert(
      fc.property(polls, (letters) => {
        play(letters).forEach(({ transition }, i) => {
          const known = letters.slice(0, i + 1).replaceAll('?', '');
          if (transition === 'opened') expect(known.slice(-5).split('B').length - 1).toBeGreaterThanOrEqual(3);
          if (transition === 'resolved') expect(known.replaceAll('n', '').slice(-3)).toBe('ggg');
        });
      }),
    );
  });

  test('ids differ between policies and openings', () => {
    const id = (policyUid: string, atMs: number): string | undefined => {
      let step: IncidentStep | undefined;
      for (let i = 0; i < 3; i++) {
        step = stepIncident(step?.history, aPollVerdict('unhealthy', atMs + i), TRIGGER, { ...CONTEXT, policyUid });
      }
      return step?.incident?.id;
    };
    expect(new Set([id('p1', T0), id('p2', T0), id('p1', T0 + 99)]).size).toBe(3);
    expect(id('p1', T0)).toBe(id('p1', T0));
  });
});
