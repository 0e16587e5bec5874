import { RUNGS } from '../diagnosis/rung.ts';
import type { PolicyStatus } from '../healing/policy-status.ts';
import { policyStatus } from '../healing/status.ts';
import type { StatusInput } from '../healing/status.ts';
import { MINUTE } from '../lib/duration.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Parsed, Problem } from '../lib/parsed.ts';
import { workloadKey } from '../lib/workload.ts';
import { isEffect } from '../policy/action.ts';
import type { ActionName, EffectName } from '../policy/action.ts';
import { effectiveGuardrail, lowerMode } from '../policy/effective-guardrail.ts';
import type { HealingPolicy } from '../policy/healing-policy.ts';
import { chosenPath, isPath } from '../policy/throttle-path.ts';
import type { ActionLedger } from './action-ledger.ts';
import { unattributed } from './attribution.ts';
import { eventNote, regardingPolicy } from './events.ts';
import type { IncidentBook } from './incident-book.ts';
import { LastWritten } from './last-written.ts';
import type { Poller } from './poller.ts';
import type { ClusterReader, ClusterWriter, EventSink, Leadership } from './ports.ts';
import type { Surroundings } from './surroundings.ts';
import type { WorkloadAssessor } from './workload-assessor.ts';
import type { HandlerResult } from './workqueue.ts';

/** Numbers inside a sentence move with every poll; a change of wording alone waits for so long. */
const WORDING_EVERY_MS = MINUTE;

export interface PolicyReporterDeps {
  readonly reader: ClusterReader;
  readonly writer: ClusterWriter;
  readonly leadership: Leadership;
  readonly poller: Poller;
  readonly assessor: WorkloadAssessor;
  readonly book: IncidentBook;
  readonly ledger: ActionLedger;
  readonly surroundings: Surroundings;
  readonly enabledEffects: ReadonlySet<EffectName>;
  /** `verb resource` of each right that Aegis lacks for an effect that is enabled. */
  readonly missingRights: (effect: EffectName) => readonly string[];
  readonly events: EventSink;
  readonly clock: Clock;
  readonly log: Log;
}

/** What waiting does not cure. */
const UNLIMITABLE: ReadonlySet<string> = new Set(['UnsupportedByCluster', 'TooManyRoutes']);

export const policyKey = (namespace: string, name: string): string => `${namespace}/${name}`;

/** Keeps each policy's status true. Computed whole, written only when it says something new. */
export class PolicyReporter {
  readonly #deps: PolicyReporterDeps;
  readonly #written = new LastWritten<PolicyStatus>(isSame);

  constructor(deps: PolicyReporterDeps) {
    this.#deps = deps;
  }

  async reconcile(key: string): Promise<HandlerResult> {
    const { reader, writer, leadership, clock } = this.#deps;
    if (!leadership.isLeader() || !reader.synced()) return {};
    const parsed = reader.policies().find((each) => key === keyOf(each));
    if (parsed === undefined) {
      this.#written.forget(key);
      return {};
    }
    await this.#lookAtThrottles(parsed);
    const [namespace = '', name = ''] = key.split('/');
    const last = this.#written.get(key);
    const atMs = clock.monotonicMs();
    const previous = this.#written.present(key, reader.policyStatus(namespace, name), atMs);
    const input = this.#input(parsed, previous);
    const status = policyStatus(input);
    if (previous !== undefined && isSame(previous, status)) return {};
    // Nothing new from here: other wording, or a foreign hand in the status, against which there is no race to win.
    const isOld = [previous, last?.status].some((each) => each !== undefined && essence(each) === essence(status));
    const waitMs = (last?.atMs ?? Number.NEGATIVE_INFINITY) + WORDING_EVERY_MS - atMs;
    if (isOld && waitMs > 0) return { requeueAfterMs: waitMs };
    if (!leadership.mayWrite()) return { requeueAfterMs: 2_000 };
    const written = await writer.writePolicyStatus({ namespace, name }, status);
    if (!written.ok) {
      if (written.error.kind === 'NotFound') return {};
      return { failure: `cannot write the status: ${written.error.message}` };
    }
    this.#written.put(key, status, atMs);
    this.#tellRefusal(parsed, previous, input.problems);
    return {};
  }

  #input(parsed: Parsed<HealingPolicy>, previous: PolicyStatus | undefined): StatusInput {
    const { ledger, clock, surroundings } = this.#deps;
    const nowMs = clock.nowMs();
    const base = { nowMs, ...(previous !== undefined && { previous }) };
    if (parsed.kind === 'invalid') {
      const guardrails = surroundings.guardrailsOf(parsed.namespace);
      const { generation, problems } = parsed;
      return { ...base, generation, policy: undefined, problems, guardrails, incidents: [], actions: [] };
    }
    const policy = parsed.value;
    return {
      ...base,
      ...{ generation: policy.generation, policy, problems: surroundings.problemsOf(policy) },
      guardrails: surroundings.guardrailsOf(policy.namespace),
      incidents: this.#incidents(policy),
      actions: (ledger.records(nowMs) ?? []).filter(({ policyUid }) => policyUid === policy.uid),
      ...this.#measured(policy),
      conflicts: this.#conflicts(policy),
      limits: this.#limits(policy),
      unsupported: this.#unsupported(policy),
    };
  }

  #incidents(policy: HealingPolicy): StatusInput['incidents'] {
    return this.#deps.book
      .tracks()
      .filter(({ policyUid }) => policyUid === policy.uid)
      .flatMap(({ history, diagnosis, decision }) =>
        history.incident === undefined
          ? []
          : [
              {
                incident: history.incident,
                ...(diagnosis !== undefined && { diagnosis }),
                ...(decision !== undefined && { decision }),
              },
            ],
      );
  }

  /** What the polls showed; nothing before the first one. */
  #measured(policy: HealingPolicy): Pick<StatusInput, 'targets' | 'metrics' | 'learned'> {
    const { reader, poller, book, assessor, clock } = this.#deps;
    const state = poller.state(policy.uid);
    const workloads = reader.workloads(policy.namespace, policy.target);
    if (state === undefined) return workloads.length === 0 ? { targets: { matched: 0, anomalous: 0, unknown: 0 } } : {};
    const states = workloads.map(({ ref }) => book.find(policy.uid, ref.uid)?.verdict?.state ?? 'unknown');
    const readings = state.polled.readings.filter(({ reading }) => reading.kind === 'value');
    const specs = poller.specs(policy, state.polled, clock.monotonicMs());
    const samples = workloads.flatMap((workload) => assessor.fewestSamples(policy, workload, specs) ?? []);
    const wanted = policy.detection.minSamples;
    return {
      targets: {
        matched: workloads.length,
        anomalous: states.filter((each) => each === 'unhealthy').length,
        unknown: states.filter((each) => each === 'unknown').length,
      },
      metrics: {
        available: [...new Set(readings.map(({ metric }) => metric))].sort(),
        problems: [
          ...state.polled.problems.map(({ metric, error }) => ({ metric, reason: error.kind, message: error.message })),
          ...unattributed(
            state.polled.readings,
            workloads.map(({ ref }) => ref),
          ),
        ],
      },
      ...(samples.length > 0 && { learned: { samples: coarse(Math.min(...samples), wanted), wanted } }),
    };
  }

  #conflicts(policy: HealingPolicy): NonNullable<StatusInput['conflicts']> {
    const { reader, surroundings } = this.#deps;
    return reader.workloads(policy.namespace, policy.target).flatMap((workload) => {
      const acting = surroundings.actingOn(workload);
      if (acting === undefined || acting.uid === policy.uid) return [];
      return [{ workload: workloadKey(workload.ref), policy: acting.name }];
    });
  }

  #limits(policy: HealingPolicy): readonly string[] {
    const { surroundings, enabledEffects, missingRights } = this.#deps;
    const guardrails = surroundings.guardrailsOf(policy.namespace);
    if (guardrails === undefined) return ['the guardrails cannot be read: nothing is done'];
    const { maxMode, allowedActions, budgets } = effectiveGuardrail(guardrails);
    const limits: string[] = [];
    if (lowerMode(policy.mode, maxMode) !== policy.mode) limits.push(`a guardrail caps the mode at ${maxMode}`);
    for (const action of possibleActions(policy)) {
      if (!allowedActions.includes(action)) limits.push(`a guardrail does not allow ${action}`);
    }
    for (const effect of enabledEffects) {
      const missing = missingRights(effect);
      if (missing.length > 0) limits.push(`${effect} lacks the right to ${missing.join(', ')}`);
    }
    const hourly = Math.min(...budgets.map(({ limits: budget }) => budget.maxActionsPerHour));
    if (hourly < policy.limits.maxActionsPerHour) limits.push(`the shared budget allows ${hourly} actions an hour`);
    return limits;
  }

  #unsupported(policy: HealingPolicy): readonly string[] {
    const { enabledEffects } = this.#deps;
    const disabled = [...wantedActions(policy)]
      .filter((action) => isEffect(action) && !enabledEffects.has(action))
      .map((action) => `${action} is not enabled in this installation, its rungs are skipped`);
    return [...disabled, ...this.#unlimitable(policy)];
  }

  /** Whoever names throttle_api is told before it is needed that nothing here can do it. */
  async #lookAtThrottles(parsed: Parsed<HealingPolicy>): Promise<void> {
    const { reader, surroundings } = this.#deps;
    if (parsed.kind === 'invalid' || !wantedActions(parsed.value).has('throttle_api')) return;
    const policy = parsed.value;
    for (const workload of reader.workloads(policy.namespace, policy.target)) {
      await surroundings.readThrottlePaths(workload);
    }
  }

  #unlimitable(policy: HealingPolicy): readonly string[] {
    const { reader, surroundings, enabledEffects } = this.#deps;
    if (!enabledEffects.has('throttle_api')) return [];
    const rungs = policy.remedies.flatMap(({ steps }) => steps.filter(({ action }) => action === 'throttle_api'));
    const wishes = rungs.map(({ throttle }) => throttle?.provider ?? 'Auto');
    return reader.workloads(policy.namespace, policy.target).flatMap((workload) => {
      const paths = surroundings.throttlePaths(workload);
      return [...new Set(wishes)].flatMap((wish) => {
        const choice = chosenPath(wish, paths);
        if (isPath(choice) || !UNLIMITABLE.has(choice.reason)) return [];
        return [`throttle_api cannot be used on ${workload.ref.name}: ${choice.message}`];
      });
    });
  }

  #tellRefusal(parsed: Parsed<HealingPolicy>, previous: PolicyStatus | undefined, problems: readonly Problem[]): void {
    const [first] = problems;
    if (first === undefined) return;
    const before = previous?.conditions.find(({ type }) => type === 'Accepted');
    if (before?.status === 'False' && before.reason === first.reason) return;
    const regarding = parsed.kind === 'valid' ? parsed.value : parsed;
    const note = problems.map(({ path, reason, message }) => `${reason}: ${path}: ${message}`).join('; ');
    this.#deps.events.emit(eventNote(regardingPolicy(regarding), 'PolicyNotAccepted', note));
  }
}

const keyOf = (parsed: Parsed<HealingPolicy>): string =>
  parsed.kind === 'valid'
    ? policyKey(parsed.value.namespace, parsed.value.name)
    : policyKey(parsed.namespace, parsed.name);

/** Every action that a ladder of the policy names. */
const wantedActions = ({ remedies }: HealingPolicy): ReadonlySet<ActionName> =>
  new Set(remedies.flatMap(({ steps }) => steps.map(({ action }) => action)));

/** What ladders of the failure types' own come to; a cache is cleared only where a step of the policy declares it. */
const DEFAULT_EFFECTS: readonly ActionName[] = [
  RUNGS.restartPod.action,
  RUNGS.scaleUp.action,
  RUNGS.throttleApi.action,
];

/** Those that it names, and those of the default ladders where it leaves some failure type to them. */
function possibleActions(policy: HealingPolicy): ReadonlySet<ActionName> {
  const isComplete = policy.remedies.some(({ on }) => on.includes('any'));
  return isComplete ? wantedActions(policy) : new Set([...wantedActions(policy), ...DEFAULT_EFFECTS]);
}

/** Learning shows in tenths: a status that is written at every poll would be noise for every watcher. */
function coarse(samples: number, wanted: number): number {
  if (samples >= wanted) return wanted;
  const step = Math.max(1, Math.ceil(wanted / 10));
  return Math.floor(samples / step) * step;
}

function isSame(a: PolicyStatus, b: PolicyStatus): boolean {
  return JSON.stringify(comparable(a)) === JSON.stringify(comparable(b));
}

/** Times of transitions follow from the rest; stored times have whole seconds only. */
function comparable({ conditions, incidents, lastAction, ...rest }: PolicyStatus): unknown {
  return {
    ...rest,
    conditions: byType(conditions).map(({ type, status, reason, message, observedGeneration }) => [
      ...[type, status, reason, message],
      observedGeneration,
    ]),
    incidents: incidents.map(({ sinceMs: _since, ...incident }) => sorted(incident)),
    lastAction: lastAction === undefined ? null : [lastAction.name, lastAction.outcome],
  };
}

const byType = (conditions: PolicyStatus['conditions']): PolicyStatus['conditions'] =>
  conditions.toSorted((a, b) => (a.type < b.type ? -1 : 1));

const sorted = (object: Readonly<Record<string, unknown>>): unknown =>
  Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));

/** What people switch on: everything but the wording. */
function essence({ observedGeneration, conditions, targets, incidents, lastAction }: PolicyStatus): string {
  return JSON.stringify([
    observedGeneration,
    byType(conditions).map(({ type, status, reason }) => [type, status, reason]),
    [targets.matched, targets.anomalous, targets.unknown],
    incidents.map(({ id, failureType, severity, step, decision, reason }) => [
      id,
      failureType,
      severity,
      step,
      decision,
      wordOf(reason),
    ]),
    [lastAction?.name, lastAction?.outcome],
  ]);
}

/** `Cooldown: 40 s left` -> `Cooldown`. */
const wordOf = (reason: string): string => reason.split(':')[0] ?? reason;
