import { describe, expect, test } from '@jest/globals';
import { AlertDesk } from '../../../src/controller/alert-desk.ts';
import { EngineAnswers } from '../../../src/controller/engine-answers.ts';
import { PolicyAcceptance } from '../../../src/controller/policy-acceptance.ts';
import { StormWatch } from '../../../src/controller/storm-watch.ts';
import type { AlertMessage, MetricSource, Notifier, PolicyEngineQuestion } from '../../../src/controller/ports.ts';
import type { Store } from '../../../src/controller/store-ports.ts';
import { decide } from '../../../src/healing/decide.ts';
import { stormReport, type StormReport } from '../../../src/healing/storm-report.ts';
import type { Intent } from '../../../src/policy/action.ts';
import type { EngineAnswer, StormState } from '../../../src/policy/guard.ts';
import { aStatus } from '../../support/builders/action.ts';
import { aDecisionInput, intentOf } from '../../support/builders/decision.ts';
import { anIncident } from '../../support/builders/incident.ts';
import { aGuardrail, aPolicy } from '../../support/builders/policy.ts';
import { MINUTE, NOW } from '../../support/builders/workload.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { recordedLog, recordedMetrics } from '../../support/recorders.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const restart = intentOf(decide(aDecisionInput()));
const alert = { ...restart, action: 'alert_admin' as const, parameters: { kind: 'alert' as const, sinks: ['pager'] } };
const told = (intent: Intent) => ({ intent, status: aStatus({ delivered: { atMs: NOW, sinks: ['pager'] } }) });

/** An incident that is over: of status alone, unless metrics are named. */
const anEnded = (resolvedAtMs: number, metrics: readonly string[] = []) => anIncident({ resolvedAtMs, metrics });

function aDesk(sinks: readonly string[] = ['pager'], blobs = new Map<string, Uint8Array>()) {
  const sent: AlertMessage[] = [];
  const desk = { fails: false };
  const notifier: Notifier = {
    sinks: () => sinks,
    send: (to, message) => {
      if (desk.fails) return Promise.resolve({ delivered: [], failed: [{ sink: 'pager', message: 'HTTP 500' }] });
      sent.push(message);
      return Promise.resolve({ delivered: to.length === 0 ? sinks : to, failed: [] });
    },
  };
  const store = {
    saveBlob: (key: string, bytes: Uint8Array) => Promise.resolve(void blobs.set(key, bytes)),
    loadBlob: (key: string) => Promise.resolve(blobs.get(key)),
  };
  const alerts = new AlertDesk({ notifier, store, metrics: recordedMetrics(), log: recordedLog() });
  return { alerts, sent, desk, said: () => sent.map(({ key, status }) => `${status} ${key}`) };
}

describe('the alert desk', () => {
  test('tells once, repeats each minute with a later end, and tells the end', async () => {
    const { alerts, sent } = aDesk();
    expect(await alerts.deliver(alert, NOW)).toEqual({ delivered: ['pager'], failed: [] });
    alerts.repeat(NOW + MINUTE - 1);
    alerts.repeat(NOW + MINUTE);
    alerts.repeat(NOW + MINUTE + 1);
    await settled();
    alerts.resolve(anEnded(NOW + 2 * MINUTE), NOW + 2 * MINUTE);
    alerts.repeat(NOW + 9 * MINUTE);
    await settled();
    expect(sent.map(({ status, endsAtMs }) => [status, endsAtMs - NOW])).toEqual([
      ['firing', 3 * MINUTE],
      ['firing', 4 * MINUTE],
      ['resolved', 2 * MINUTE],
    ]);
    expect(new Set(sent.map(({ key, startsAtMs }) => `${key} ${startsAtMs}`)).size).toBe(1);
  });

  test('what no sink took is not repeated as if it were known', async () => {
    const { alerts, sent, desk } = aDesk();
    desk.fails = true;
    expect(await alerts.deliver(alert, NOW)).toEqual({ delivered: [], failed: ['pager: HTTP 500'] });
    desk.fails = false;
    alerts.repeat(NOW + 5 * MINUTE);
    await settled();
    expect(sent).toEqual([]);
  });

  test('without a sink the Kubernetes Event is what people get', async () => {
    expect((await aDesk([]).alerts.deliver(alert, NOW)).delivered).toEqual(['kubernetes-event']);
  });

  test('a predecessor’s alert is taken up and its end told; a foreign incident is nobody’s', async () => {
    const { alerts, said } = aDesk();
    alerts.takeUp([told(alert), told(restart)], { isOpen: () => true, resolved: [] }, NOW);
    alerts.resolve(anIncident({ id: 'another' }), NOW);
    alerts.resolve(anIncident(), NOW + MINUTE);
    await settled();
    expect(said()).toEqual(['resolved incident-1']);
  });

  test.each([
    ['a moment ago: its end is told, perhaps a second time', [anEnded(NOW - MINUTE)], ['resolved incident-1']],
    ['long ago: it was told', [anEnded(NOW - 10 * MINUTE)], []],
    ['a moment ago and may come back: it stands', [anEnded(NOW - MINUTE, ['cpu_usage'])], ['firing incident-1']],
    ['when it can no longer come back: its end is told', [anEnded(NOW - 16 * MINUTE, ['cpu_usage'])], ['resolved incident-1']],
    ['long before that: it was told', [anEnded(NOW - 25 * MINUTE, ['cpu_usage'])], []],
    ['nobody knows when: it is not told', [], []],
  ] as const)('a predecessor’s alert whose incident ended %s', async (_, resolved, expected) => {
    const { alerts, said } = aDesk();
    alerts.takeUp([told(alert), { intent: alert, status: aStatus() }], { isOpen: () => false, resolved }, NOW);
    alerts.repeat(NOW + 5 * MINUTE);
    await settled();
    expect(said()).toEqual(expected);
  }); // prettier-ignore

  test('an alert that was forgotten is not repeated', async () => {
    const { alerts, sent } = aDesk();
    await alerts.deliver(alert, NOW);
    alerts.storms([storm('cluster')], NOW, known);
    alerts.forget();
    alerts.repeat(NOW + 5 * MINUTE);
    await settled();
    expect(sent).toHaveLength(2);
  });
});

/** Each of its workloads has been looked at. */
const known = (state: StormState): StormReport => ({ ...stormReport(state, []), isNamed: true });
const storm = (scope: string): StormState => ({ active: true, scope, anomalous: 3, watched: 5 });

describe('storms', () => {
  test.each<[string, readonly string[][], readonly string[]]>([
    ['one in the whole cluster speaks for its namespaces', [['cluster', 'shop']], ['firing storm/cluster']],
    ['one in a namespace is told as that', [['shop']], ['firing storm/shop']],
    ['it is told once while it lasts', [['shop'], ['shop'], ['shop']], ['firing storm/shop']],
    ['and its end', [['shop'], []], ['firing storm/shop', 'resolved storm/shop']],
    [
      'what remains of a cluster-wide one in a namespace is told anew',
      [['cluster', 'shop'], ['shop']],
      ['firing storm/cluster', 'firing storm/shop', 'resolved storm/cluster'],
    ],
    ['two namespaces are two', [['mail', 'shop']], ['firing storm/mail', 'firing storm/shop']],
  ])('%s', async (_, looks, said) => {
    const desk = aDesk();
    looks.forEach((scopes, i) => desk.alerts.storms(scopes.map(storm), NOW + i, known));
    await settled();
    expect(desk.said()).toEqual(said);
  });
});

describe('what a storm is', () => {
  test.each<[string, readonly number[], boolean, readonly number[]]>([
    ['is told once its workloads have names', [0, 5_000], true, [0]],
    ['waits for those that have none yet, at most 20 s', [0, 5_000, 15_000, 20_000, 25_000], false, [20_000]],
    ['that ends before is not told', [0, 5_000], false, []],
  ])('%s', async (_, looksAtMs, isNamed, toldAtMs) => {
    const { alerts, sent } = aDesk();
    const at: number[] = [];
    for (const afterMs of looksAtMs) {
      const before = sent.length;
      alerts.storms([storm('shop')], NOW + afterMs, (state) => ({ ...known(state), isNamed }));
      await settled();
      if (sent.length > before) at.push(afterMs);
    }
    expect(at).toEqual(toldAtMs);
  });

  test('is repeated as it is known by then, and its end names what was last known', async () => {
    const { alerts, sent } = aDesk();
    const report = (summary: string, evidence: readonly string[]) => (state: StormState) => ({
      ...known(state),
      summary,
      evidence,
    });
    alerts.storms([storm('shop')], NOW, report('three', ['bad_deploy: a']));
    alerts.storms([storm('shop')], NOW + 5_000, report('four', ['bad_deploy: a, b']));
    alerts.repeat(NOW + 60_000);
    alerts.storms([storm('shop')], NOW + 90_000, report('none', []));
    alerts.storms([], NOW + 120_000, known);
    await settled();
    expect(sent.map(({ status, summary }) => `${status} ${summary}`)).toEqual([
      'firing three',
      'firing four',
      'resolved four',
    ]);
  });

  test('as an older release stored it, without what it was made of, is taken up', async () => {
    const told = { state: storm('shop'), startsAtMs: NOW, lastSentMs: NOW, isDelivered: true };
    const { alerts, sent } = aDesk(
      ['pager'],
      new Map([['storm-alerts', new TextEncoder().encode(JSON.stringify([told]))]]),
    );
    await alerts.load();
    alerts.storms([], NOW, known);
    await settled();
    expect(sent.map(({ status, summary }) => [status, summary])).toEqual([
      ['resolved', '3 of 5 workloads turned anomalous within five minutes (shop)'],
    ]);
  });
});

describe('a storm across a change of leadership', () => {
  const shop = [storm('shop')];

  test('is told once, and its end by whoever leads then', async () => {
    const blobs = new Map<string, Uint8Array>();
    const [first, second] = [aDesk(['pager'], blobs), aDesk(['pager'], blobs)];
    first.alerts.storms(shop, NOW, known);
    await settled();
    first.alerts.forget();
    expect(await second.alerts.load()).toBe(true);
    second.alerts.storms(shop, NOW + 1_000, known);
    second.alerts.storms([], NOW + 2_000, known);
    await settled();
    expect(first.said()).toEqual(['firing storm/shop']);
    expect(second.said()).toEqual(['resolved storm/shop']);
    const third = aDesk(['pager'], blobs);
    await third.alerts.load();
    third.alerts.storms([], NOW + 3_000, known);
    await settled();
    expect(third.said()).toEqual([]);
  });

  test('that no sink took is told by the next leader', async () => {
    const blobs = new Map<string, Uint8Array>();
    const [first, second] = [aDesk(['pager'], blobs), aDesk(['pager'], blobs)];
    first.desk.fails = true;
    first.alerts.storms(shop, NOW, known);
    await settled();
    await second.alerts.load();
    second.alerts.storms(shop, NOW + 1_000, known);
    await settled();
    expect(second.said()).toEqual(['firing storm/shop']);
  });

  test('is told again rather than not at all where the record is damaged', async () => {
    const { alerts, said } = aDesk(['pager'], new Map([['storm-alerts', new TextEncoder().encode('[{')]]));
    expect(await alerts.load()).toBe(true);
    alerts.storms(shop, NOW, known);
    await settled();
    expect(said()).toEqual(['firing storm/shop']);
  });
});

describe('the storm watch', () => {
  const watched = (ill: number, of: number) =>
    Array.from({ length: of }, (_, i) => ({
      ...{ workload: `w-${i}`, namespace: 'shop' },
      ...(i < ill && { lastAnomalousMs: NOW }),
    }));

  function aWatch() {
    const blobs = new Map<string, Uint8Array>();
    const broken = { isDown: false };
    const store = {
      saveBlob: (key: string, bytes: Uint8Array) => {
        if (broken.isDown) return Promise.reject(new Error('full'));
        blobs.set(key, bytes);
        return Promise.resolve();
      },
      loadBlob: (key: string) => (broken.isDown ? Promise.reject(new Error('full')) : Promise.resolve(blobs.get(key))),
    } as unknown as Store;
    const clock = fakeClock(NOW);
    return { make: () => new StormWatch(store, recordedLog(), clock), blobs, broken, clock };
  }

  test.each([
    [2, 5, 0],
    [3, 5, 2],
    [3, 8, 0],
    [4, 8, 2],
    [2, 2, 0],
  ])('%d of %d workloads: %d storms begin', (ill, of, begun) => {
    expect(aWatch().make().look(watched(ill, of), [], NOW, true)).toHaveLength(begun);
  });

  test.each([
    ['forward', 60 * MINUTE],
    ['back', -60 * MINUTE],
  ])('a wall clock that jumps %s ends it no sooner and no later', (_, byMs) => {
    const { make, clock } = aWatch();
    const watch = make();
    watch.look(watched(3, 5), [], clock.nowMs(), true);
    clock.jump(byMs);
    const looked = (): boolean => {
      watch.look(watched(0, 5), [], clock.nowMs(), true);
      return watch.for('shop').active;
    };
    clock.advance(9 * MINUTE);
    expect(looked()).toBe(true);
    clock.advance(2 * MINUTE);
    expect(looked()).toBe(false);
  });

  test('the brake outlives the process, for its cooldown', async () => {
    const { make } = aWatch();
    make().look(watched(3, 5), [], NOW, true);
    await settled();
    const next = make();
    expect(await next.load()).toBe(true);
    expect(next.look(watched(0, 5), [], NOW + 6 * MINUTE, true)).toEqual([]);
    expect(next.for('shop').active).toBe(true);
    next.look(watched(0, 5), [], NOW + 11 * MINUTE, true);
    expect(next.for('shop').active).toBe(false);
  });

  test('a bystander’s look is not kept', async () => {
    const { make, blobs } = aWatch();
    make().look(watched(3, 5), [], NOW, false);
    await settled();
    expect(blobs.size).toBe(0);
  });

  test('a store that cannot be read leaves it unknown; damaged states are judged anew', async () => {
    const { make, blobs, broken } = aWatch();
    broken.isDown = true;
    expect(await make().load()).toBe(false);
    broken.isDown = false;
    blobs.set('storm-states', new TextEncoder().encode('{['));
    expect(await make().load()).toBe(true);
  });

  test('what could not be kept is kept at the next look', async () => {
    const { make, blobs, broken } = aWatch();
    const watch = make();
    broken.isDown = true;
    watch.look(watched(3, 5), [], NOW, true);
    await settled();
    broken.isDown = false;
    watch.look(watched(3, 5), [], NOW + 1, true);
    await settled();
    expect(blobs.has('storm-states')).toBe(true);
  });
});

describe('external policy engines', () => {
  const yes: EngineAnswer = { kind: 'allowed', policies: ['base'] };
  const no: EngineAnswer = { kind: 'denied', reason: 'freeze', policies: ['freeze'] };
  const silent = (failurePolicy: 'Deny' | 'Allow'): EngineAnswer => ({
    ...{ kind: 'unavailable', message: 'no answer', failurePolicy },
  });

  async function answer(...answers: readonly EngineAnswer[]) {
    const asked: PolicyEngineQuestion[] = [];
    const engines = new EngineAnswers({
      engine: {
        ask: (engine, question) => {
          asked.push(question);
          return Promise.resolve(answers[Number(engine.url)] ?? yes);
        },
      },
      metrics: recordedMetrics(),
      clock: fakeClock(),
    });
    const guardrails = answers.map((_, i) =>
      aGuardrail({
        name: `g-${i}`,
        policyEngine: { url: String(i), type: 'Aegis', timeoutSeconds: 3, failurePolicy: 'Deny' },
      }),
    );
    return { reply: await engines.ask(restart, guardrails), asked };
  }

  test.each<[string, EngineAnswer, number, number]>([
    ['kept somebody waiting in vain is spared for five seconds', silent('Deny'), 3_000, 2],
    ['said at once that it cannot answer is asked each time', silent('Deny'), 500, 3],
    ['took its time and answered is asked each time', no, 3_000, 3],
  ])('an engine that %s', async (_, said, takesMs, times) => {
    const clock = fakeClock();
    let asked = 0;
    const ask = (): Promise<EngineAnswer> => {
      asked += 1;
      clock.advance(takesMs);
      return Promise.resolve(said);
    };
    const engines = new EngineAnswers({ engine: { ask }, metrics: recordedMetrics(), clock });
    const policyEngine = { url: 'https://policy', type: 'Aegis', timeoutSeconds: 3, failurePolicy: 'Deny' } as const;
    const again = () => engines.ask(restart, [aGuardrail({ policyEngine })]);
    expect([await again(), await again()].map((reply) => reply?.kind)).toEqual([said.kind, said.kind]);
    clock.advance(5_000);
    await again();
    expect(asked).toBe(times);
  });

  test.each<[string, readonly EngineAnswer[], string | undefined]>([
    ['none is configured', [], undefined],
    ['all allow', [yes, yes], 'allowed'],
    ['one of two denies', [yes, no], 'denied'],
    ['one does not answer, and that denies', [yes, silent('Deny')], 'unavailable'],
    ['one does not answer, and that allows', [yes, silent('Allow')], 'allowed'],
    ['a refusal outweighs a silence', [silent('Deny'), no], 'denied'],
  ])('%s', async (_, answers, kind) => {
    expect((await answer(...answers)).reply?.kind).toBe(kind);
  });

  test('the question names action, resource and diagnosis', async () => {
    expect((await answer(yes)).asked).toMatchObject([
      {
        action: 'restart_pod',
        resource: 'deployment:shop/checkout',
        context: { metadata: { policy: 'checkout', failureType: 'memory_leak' } },
      },
    ]);
  });
});

describe('what the schema cannot tell of a policy', () => {
  const source = {
    checkQueries: ({ metrics }: { metrics: readonly { name: string; query?: string }[] }) =>
      metrics.flatMap(({ name, query }) => (query === '{{' ? [{ metric: name, message: 'not PromQL' }] : [])),
  } as unknown as MetricSource;
  const notifier: Notifier = { sinks: () => ['pager'], send: () => Promise.resolve({ delivered: [], failed: [] }) };
  const usual = aPolicy();
  const withQuery = (query: string) =>
    aPolicy({
      detection: { ...usual.detection, metrics: [{ name: 'queue', unit: '', direction: 'Above', query }] },
    });

  test.each([
    ['a sound one', usual, undefined, []],
    ['a query that is none', withQuery('{{'), undefined, ['QueryInvalid spec.detection.metrics[0].query']],
    [
      'an own query where a guardrail denies them',
      withQuery('up'),
      [aGuardrail({ customQueries: 'Deny' })],
      ['QueryInvalid spec.detection.metrics[0].query'],
    ],
    ['an own query where guardrails cannot be read', withQuery('up'), undefined, []],
    [
      'an unknown sink',
      aPolicy({ notifications: [{ sink: 'fax', minSeverity: 'low' }] }),
      [],
      ['SinkUnknown spec.notifications[0].sink'],
    ],
  ] as const)('%s', (_, policy, guardrails, problems) => {
    const acceptance = new PolicyAcceptance({ source, notifier });
    expect(acceptance.problems(policy, guardrails).map(({ reason, path }) => `${reason} ${path}`)).toEqual(problems);
  });

  test('the answer is kept for a generation, and judged anew for the next, or when a guardrail changes', () => {
    const acceptance = new PolicyAcceptance({ source, notifier });
    const bad = { ...withQuery('{{'), generation: 2, hash: 'hash-2' };
    expect(acceptance.problems(withQuery('up'), [])).toEqual([]);
    expect(acceptance.problems(bad, [])).toHaveLength(1);
    expect(acceptance.problems(withQuery('up'), [aGuardrail({ customQueries: 'Deny' })])).toHaveLength(1);
  });
});
