import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { actionObject, actionStatusObject, parseAction } from '../../../../src/api/v1alpha1/convert-action.ts';
import type { ActionStatus } from '../../../../src/healing/decision.ts';
import { anApiIntent, anyActionStatus, anyIntent } from '../../../support/builders/api.ts';

const NOTHING: ActionStatus = { attempts: [] };

/** What the API server would hand back: plain JSON with the metadata that it adds. */
function stored(object: object, status?: object, metadata: object = {}): unknown {
  const copy = JSON.parse(JSON.stringify({ ...object, ...(status !== undefined && { status }) })) as {
    metadata: object;
  };
  const added = { uid: 'action-uid', resourceVersion: '7', creationTimestamp: '2023-11-14T22:13:20Z', ...metadata };
  return { ...copy, metadata: { ...copy.metadata, ...added } };
}

function parsed(object: unknown) {
  const result = parseAction(object);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

describe('an action survives the way through the API server', () => {
  test('every intent is read back as it was written', () => {
    fc.assert(
      fc.property(anyIntent, (intent) => {
        expect(parsed(stored(actionObject(intent))).intent).toEqual(intent);
      }),
      { numRuns: 300 },
    );
  });

  test('every status is read back as it was written', () => {
    fc.assert(
      fc.property(anyIntent, anyActionStatus, (intent, status) => {
        const object = stored(actionObject(intent), actionStatusObject(intent, status));
        expect(parsed(object).status).toEqual(status);
      }),
      { numRuns: 300 },
    );
  });

  test('what the server adds is read', () => {
    const object = stored(actionObject(anApiIntent()), undefined, {
      deletionTimestamp: '2023-11-14T22:13:21Z',
      finalizers: ['healing.aegis.dev/reversal'],
    });
    expect(parsed(object)).toMatchObject({
      uid: 'action-uid',
      resourceVersion: '7',
      createdAtMs: 1_700_000_000_000,
      deletedAtMs: 1_700_000_001_000,
      finalizers: ['healing.aegis.dev/reversal'],
      status: NOTHING,
    });
  });

  test('the answer of a person is read', () => {
    const object = actionObject(anApiIntent({ approvalRequired: true })) as { spec: object };
    const approval = { decision: 'Approved', by: 'ann', reason: 'ok', time: '2023-11-14T22:13:20.5Z' };
    const answered = { ...object, spec: { ...object.spec, approval } };
    expect(parsed(stored(answered)).approval).toEqual({
      decision: 'Approved',
      by: 'ann',
      reason: 'ok',
      atMs: 1_700_000_000_500,
    });
  });
});

describe('what is written', () => {
  test('labels find the action by policy, incident, workload and action', () => {
    const { metadata } = actionObject(anApiIntent()) as { metadata: { labels: Record<string, string> } };
    expect(metadata.labels).toEqual({
      'app.kubernetes.io/managed-by': 'aegis',
      'healing.aegis.dev/policy': 'checkout',
      'healing.aegis.dev/policy-uid': 'policy-uid',
      'healing.aegis.dev/incident': 'incident-1',
      'healing.aegis.dev/workload-kind': 'Deployment',
      'healing.aegis.dev/workload': 'checkout',
      'healing.aegis.dev/workload-uid': 'workload-uid',
      'healing.aegis.dev/action': 'restart_pod',
    });
  });

  test('the record outlives its policy: there is no ownerReference', () => {
    expect(actionObject(anApiIntent())).not.toHaveProperty('metadata.ownerReferences');
  });

  test('text of a workload is clipped and its control characters are replaced', () => {
    const hostile = `\u001b[31mred\u0000${'x'.repeat(2000)}`;
    const intent = anApiIntent();
    const evidence = [{ source: 'log' as const, what: hostile, weight: 1 }];
    const read = parsed(stored(actionObject({ ...intent, diagnosis: { ...intent.diagnosis, evidence } })));
    const [first] = read.intent.diagnosis.evidence;
    expect(first?.what).toHaveLength(1024);
    expect(first?.what.startsWith('\uFFFD[31mred\uFFFDx')).toBe(true);
    expect(first?.what.endsWith('…')).toBe(true);
  });

  test('only the latest writes are kept in the status', () => {
    const attempts = Array.from({ length: 100 }, (_, index) => ({ atMs: index, answer: `answer ${index}` }));
    const intent = anApiIntent();
    const read = parsed(stored(actionObject(intent), actionStatusObject(intent, { attempts })));
    expect(read.status.attempts).toHaveLength(64);
    expect(read.status.attempts.at(-1)?.answer).toBe('answer 99');
  });

  const conditions = (status: ActionStatus, approvalRequired = false): Record<string, string> => {
    const wire = actionStatusObject(anApiIntent({ approvalRequired }), status) as {
      conditions: { type: string; status: string; reason: string }[];
    };
    return Object.fromEntries(wire.conditions.map((one) => [one.type, `${one.status} ${one.reason}`]));
  };

  test.each<[string, ActionStatus, string, string]>([
    ['nothing yet', NOTHING, 'Executed', 'False NotSent'],
    ['the write is under way', { attempts: [], executingAtMs: 5 }, 'Executed', 'Unknown Sending'],
    [
      'the answer was lost',
      { attempts: [], executed: { outcome: 'ambiguous', message: '', atMs: 5 } },
      'Executed',
      'Unknown Ambiguous',
    ],
    ['applied', { attempts: [], executed: { outcome: 'applied', message: '', atMs: 5 } }, 'Executed', 'True Applied'],
    ['an alert went out', { attempts: [], delivered: { sinks: ['ops'], atMs: 5 } }, 'Executed', 'True Delivered'],
    [
      'closed before it was sent',
      { attempts: [], closed: { state: 'Expired', reason: 'Expired', message: '', atMs: 5 } },
      'Executed',
      'False Expired',
    ],
    [
      'a budget blocks it',
      { attempts: [], blocked: { reason: 'BudgetSpent', message: '', atMs: 5, nextLookMs: 6 } },
      'Blocked',
      'True BudgetSpent',
    ],
    ['no return is due', NOTHING, 'RolledBack', 'False NothingToUndo'],
    ['a return is due', { attempts: [], rollback: { done: false, dueAtMs: 9 } }, 'RolledBack', 'False Due'],
    ['undone', { attempts: [], rollback: { done: true, readBack: '3' } }, 'RolledBack', 'True Undone'],
    [
      'somebody else changed the field',
      { attempts: [], rollback: { done: false, abandoned: 'now 7' } },
      'RolledBack',
      'False Abandoned',
    ],
    [
      'it helped',
      {
        attempts: [],
        verified: { result: { verdict: 'Effective', message: '', before: {}, after: {}, peers: {} }, atMs: 5 },
      },
      'Verified',
      'True Effective',
    ],
    [
      'nobody can tell',
      {
        attempts: [],
        verified: {
          result: { verdict: 'Inconclusive', reason: 'NoFreshData', message: '', before: {}, after: {}, peers: {} },
          atMs: 5,
        },
      },
      'Verified',
      'Unknown NoFreshData',
    ],
    ['no approval is needed', NOTHING, 'Approved', 'True NotRequired'],
  ])('%s', (_, status, type, expected) => {
    expect(conditions(status)[type]).toBe(expected);
  });

  test('a blocker that was got past is kept, but no longer shown as blocking', () => {
    const blocked = { reason: 'BudgetSpent', message: 'm', atMs: 5, nextLookMs: 6 } as const;
    const shown = actionStatusObject(anApiIntent(), { attempts: [], blocked });
    const past = actionStatusObject(anApiIntent(), { attempts: [], blocked, executingAtMs: 9 });
    expect(shown).toMatchObject({ state: 'Blocked', blockedReason: 'BudgetSpent' });
    expect(past).toMatchObject({ state: 'Executing', blocked: { reason: 'BudgetSpent' } });
    expect(past).not.toHaveProperty('blockedReason');
  });

  test('an approval that is asked for is Unknown until it is given', () => {
    expect(conditions(NOTHING, true)['Approved']).toBe('Unknown AwaitingApproval');
    const denied = { attempts: [], approved: { value: false, by: 'ann', reason: '', atMs: 1 } };
    expect(conditions(denied, true)['Approved']).toBe('False DeniedByPerson');
  });
});

describe('an object that Aegis cannot have written is told, not skipped', () => {
  test.each<[string, (spec: Record<string, unknown>) => unknown, string]>([
    ['no spec', () => undefined, 'spec'],
    [
      'a target in another namespace',
      (s) => ({ ...s, target: { ...(s['target'] as object), namespace: 'bank' } }),
      'spec.target.namespace',
    ],
    ['parameters of another action', (s) => ({ ...s, action: 'scale_up' }), 'spec'],
    ['no parameters', (s) => ({ ...s, parameters: {} }), 'spec.parameters'],
    [
      'two kinds of parameters',
      (s) => ({ ...s, parameters: { restart: { method: 'evict' }, alert: { sinks: [] } } }),
      'spec.parameters',
    ],
    ['a time that is none', (s) => ({ ...s, decidedTime: 'soon' }), 'spec.decidedTime'],
    ['a number that is none', (s) => ({ ...s, severityScore: 'NaN' }), 'spec.severityScore'],
  ])('%s', (_, change, path) => {
    const object = actionObject(anApiIntent()) as { spec: Record<string, unknown> };
    const result = parseAction(stored({ ...object, spec: change(object.spec) }));
    expect(result.ok ? [] : result.error.map((problem) => problem.path)).toContain(path);
  });

  test('a forged status with a reason that does not exist', () => {
    const result = parseAction(
      stored(actionObject(anApiIntent()), {
        blocked: {
          reason: 'BecauseISaySo',
          message: '',
          time: '2023-11-14T22:13:20Z',
          nextLookTime: '2023-11-14T22:13:20Z',
        },
      }),
    );
    expect(result.ok ? [] : result.error.map((problem) => problem.path)).toEqual(['status.blocked.reason']);
  });

  test.each([undefined, null, 'text', 7, [], {}])('%j is no action', (object) => {
    expect(parseAction(object).ok).toBe(false);
  });
});
