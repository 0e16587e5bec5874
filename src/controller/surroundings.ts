import type { WorkloadVerdict } from '../detection/verdict.ts';
import { isResting, type Incident } from '../detection/incident.ts';
import type { DiagnosisInput } from '../diagnosis/evidence.ts';
import type { Diagnosis, LogLine } from '../diagnosis/diagnosis.ts';
import { summariseSeries } from '../diagnosis/summarise-series.ts';
import { movedMost } from '../diagnosis/suspects.ts';
import type { DecisionInput } from '../healing/decision-input.ts';
import { HOUR } from '../lib/duration.ts';
import type { Problem } from '../lib/parsed.ts';
import type { WorkloadSnapshot } from '../lib/workload.ts';
import { guardrailsFor } from '../policy/match.ts';
import type { EnabledEffects, Guardrail, HealingPolicy } from '../policy/healing-policy.ts';
import { untouchableBecause } from '../policy/guards/protected-target.ts';
import { actingPolicy } from '../policy/precedence.ts';
import { selectsWorkload } from '../policy/selects-workload.ts';
import type { ThrottlePath } from '../policy/throttle-path.ts';
import { effectsOn } from '../policy/track-record.ts';
import type { ActionLedger } from './action-ledger.ts';
import type { ExperienceBook } from './experience-book.ts';
import type { EvidenceDesk } from './evidence-desk.ts';
import type { IncidentBook, Track } from './incident-book.ts';
import type { PolicyAcceptance } from './policy-acceptance.ts';
import type { PodAges } from './pod-ages.ts';
import { wishOf } from './poller.ts';
import type { ClusterReader, Leadership, MetricSource } from './ports.ts';
import type { QueryRefusals } from './query-refusals.ts';
import type { StormWatch } from './storm-watch.ts';
import type { ThrottleWatch } from './throttle-watch.ts';

export interface SurroundingsDeps {
  readonly reader: ClusterReader;
  readonly source: MetricSource;
  readonly ledger: ActionLedger;
  readonly experience: ExperienceBook;
  readonly storms: StormWatch;
  readonly book: IncidentBook;
  readonly podAges: PodAges;
  readonly leadership: Leadership;
  readonly acceptance: PolicyAcceptance;
  readonly refusals: QueryRefusals;
  readonly enabledEffects: EnabledEffects;
  readonly scrapeIntervalMs: number;
  readonly policyEngineConfigured: boolean;
  /** Absent: nothing here can limit traffic. */
  readonly throttles?: ThrottleWatch;
  /** Absent: a diagnosis rests on pods, nodes, events and metrics alone. */
  readonly evidence?: EvidenceDesk;
}

/** What was seen and concluded about one workload. */
export interface Findings {
  readonly policy: HealingPolicy;
  readonly workload: WorkloadSnapshot;
  readonly incident: Incident;
  readonly verdict: WorkloadVerdict;
  readonly diagnosis: Diagnosis;
}

/** Gathers everything that judging needs into values: the only place where the pure rooms' inputs are put together. */
export class Surroundings {
  readonly #deps: SurroundingsDeps;
  /** Names of firing alerts at the last look; `undefined`: could not be read. */
  #alerts: readonly string[] | undefined = [];

  constructor(deps: SurroundingsDeps) {
    this.#deps = deps;
  }

  /** The accepted policies: one with a problem neither acts nor stands in another's way. */
  policies(): readonly HealingPolicy[] {
    return this.#accepted(() => true);
  }

  /** The accepted policy of this UID; `undefined`: it is gone, or not accepted. */
  policy(uid: string): HealingPolicy | undefined {
    return this.#accepted((policy) => policy.uid === uid)[0];
  }

  /** The policy with precedence among those that select the workload. */
  actingOn(workload: WorkloadSnapshot): HealingPolicy | undefined {
    return actingPolicy(this.#accepted((policy) => selectsWorkload(policy, workload)));
  }

  /** Which are meant is asked first: it is cheap, while acceptance is dear, and with many policies few are meant. */
  #accepted(isMeant: (policy: HealingPolicy) => boolean): readonly HealingPolicy[] {
    return this.#deps.reader.policies().flatMap((parsed) => {
      if (parsed.kind === 'invalid' || !isMeant(parsed.value)) return [];
      return this.problemsOf(parsed.value).length === 0 ? [parsed.value] : [];
    });
  }

  /** Policies that are not accepted for the server's refusal of their queries alone: they are asked for all the same. */
  refusedByServer(): readonly HealingPolicy[] {
    return this.#deps.reader.policies().flatMap((parsed) => {
      if (parsed.kind === 'invalid' || this.#refusals(parsed.value).length === 0) return [];
      return this.#problemsBefore(parsed.value).length === 0 ? [parsed.value] : [];
    });
  }

  /** Why a policy that the schema takes is not accepted; empty: it is. */
  problemsOf(policy: HealingPolicy): readonly Problem[] {
    const before = this.#problemsBefore(policy);
    return before.length > 0 ? before : this.#refusals(policy);
  }

  /** What is wrong with it, whatever the server says. */
  #problemsBefore(policy: HealingPolicy): readonly Problem[] {
    const asked = this.#deps.acceptance.problems(policy, this.guardrailsOf(policy.namespace));
    const untouchable = this.#untouchableTarget(policy);
    return untouchable === undefined ? asked : [...asked, untouchable];
  }

  #refusals(policy: HealingPolicy): readonly Problem[] {
    const { refusals, reader } = this.#deps;
    return refusals.problems(policy, reader.policyStatus(policy.namespace, policy.name));
  }

  /** A policy that names Aegis or the control plane is refused; what a selector happens to take in, the guard holds. */
  #untouchableTarget({ namespace, target }: HealingPolicy): Problem | undefined {
    if (target.name === undefined) return undefined;
    const [workload] = this.#deps.reader.workloads(namespace, target);
    const because = workload === undefined ? undefined : untouchableBecause(workload);
    return because === undefined ? undefined : { path: 'spec.target.name', reason: 'Protected', message: because };
  }

  /** Every guardrail; `undefined` as soon as one cannot be read or understood: a brake that is broken holds. */
  guardrails(): readonly Guardrail[] | undefined {
    const parsed = this.#deps.reader.guardrails();
    if (parsed === undefined || parsed.some(({ kind }) => kind === 'invalid')) return undefined;
    return parsed.flatMap((each) => (each.kind === 'valid' ? [each.value] : []));
  }

  guardrailsOf(namespace: string): readonly Guardrail[] | undefined {
    const all = this.guardrails();
    return all === undefined ? undefined : guardrailsFor(all, this.#deps.reader.namespaceLabels(namespace));
  }

  /** Asks for the firing alerts, where a policy or guardrail waits for some. */
  async readAlerts(): Promise<void> {
    const isWanted = [...this.policies(), ...(this.guardrails() ?? [])].some(
      (each) => each.holdWhileAlertsFiring.length > 0,
    );
    if (!isWanted) {
      this.#alerts = [];
      return;
    }
    const reply = await this.#deps.source.firingAlerts();
    this.#alerts = reply.ok ? reply.value : undefined;
  }

  /** Looks at what carries the workload's traffic, where a limit may be asked for; `now`: however lately it was looked. */
  async readThrottlePaths(workload: WorkloadSnapshot, now = false): Promise<void> {
    if (this.#deps.enabledEffects.has('throttle_api')) await this.#deps.throttles?.look(workload, now);
  }

  /** What is known of workloads that are gone is dropped. */
  forgetWorkloads(isKnown: (workloadUid: string) => boolean): void {
    this.#deps.throttles?.forget(isKnown);
    this.#deps.podAges.forget(isKnown);
  }

  /** Ways to limit the workload's traffic as last looked at; `undefined`: not known. */
  throttlePaths(workload: WorkloadSnapshot): readonly ThrottlePath[] | undefined {
    const { throttles } = this.#deps;
    return throttles === undefined ? [] : throttles.pathsOf(workload.ref.uid);
  }

  /** Looks at what the workloads with an open incident stand on, where that is due. */
  async readEvidence(workloads: readonly WorkloadSnapshot[]): Promise<void> {
    await this.#deps.evidence?.refresh(workloads);
  }

  diagnosisInput(track: Track, seen: WorkloadSnapshot, logs: readonly LogLine[], nowMs: number): DiagnosisInput {
    const { reader, ledger, book, podAges, evidence } = this.#deps;
    const workload = podAges.steady(seen);
    const { incident } = track.history;
    const { verdict } = track;
    const onsetAtMs = incident?.onsetAtMs ?? nowMs;
    const series = track.memory.all();
    return {
      ...{ nowMs, onsetAtMs, workload, logs },
      ...(verdict !== undefined && { verdict }),
      ...evidence?.gathered(workload, nowMs),
      events: reader.events(workload.ref.namespace, onsetAtMs - HOUR),
      nodes: reader.nodes(),
      series: summariseSeries(series, onsetAtMs),
      moved: movedMost(series, onsetAtMs),
      otherAnomalous: book
        .openIncidents()
        .filter((other) => other.workload.uid !== workload.ref.uid && !isResting(other))
        .map((other) => ({ name: `${other.workload.namespace}/${other.workload.name}`, onsetAtMs: other.onsetAtMs })),
      recentActions: effectsOn(ledger.records(nowMs) ?? [], workload, nowMs).flatMap(({ action, executedAtMs }) =>
        executedAtMs === undefined || action === 'no_action' ? [] : [{ action, executedAtMs }],
      ),
    };
  }

  decisionInput({ policy, workload, incident, verdict, diagnosis }: Findings, nowMs: number): DecisionInput {
    const { reader, source, ledger, experience, storms, book, podAges, leadership, evidence, ...fixed } = this.#deps;
    const guardrails = this.guardrailsOf(policy.namespace);
    const track = book.find(policy.uid, workload.ref.uid);
    const acting = this.actingOn(workload);
    const throttlePaths = this.throttlePaths(workload);
    const backingStore = evidence?.backingStore(workload, nowMs);
    const { usualRequestRate } = incident;
    const effectiveness = experience.effectiveness(nowMs);
    return {
      ...{ nowMs, policy, guardrails, workload: podAges.steady(workload), incident, verdict, diagnosis },
      ...{ enabledEffects: fixed.enabledEffects, scrapeIntervalMs: fixed.scrapeIntervalMs },
      ledger: ledger.records(nowMs),
      leader: leadership.isLeader(),
      cacheAgeMs: reader.ageMs(),
      lookBackMs: source.lookBackMs(wishOf(policy)),
      storm: storms.for(policy.namespace),
      nodes: reader.nodes(),
      firingAlerts: this.#alerts,
      actingPolicyUid: acting?.uid ?? policy.uid,
      policyEngineConfigured: fixed.policyEngineConfigured,
      namespaces: this.#namespaceLabels(),
      openIncidents: book.openOn(workload.ref.uid),
      ...(effectiveness !== undefined && { effectiveness }),
      ...(throttlePaths !== undefined && { throttlePaths }),
      ...(backingStore !== undefined && { backingStore }),
      ...(usualRequestRate !== undefined && { healthyRequestRate: usualRequestRate }),
      ...(track?.completeSinceMs !== undefined && { completeSinceMs: track.completeSinceMs }),
      ...(track?.hold !== undefined && { heldSinceMs: track.hold.sinceMs }),
    };
  }

  #namespaceLabels(): Readonly<Record<string, Readonly<Record<string, string>>>> {
    const names = new Set(this.policies().map(({ namespace }) => namespace));
    return Object.fromEntries(
      [...names].flatMap((name) => {
        const labels = this.#deps.reader.namespaceLabels(name);
        return labels === undefined ? [] : [[name, labels]];
      }),
    );
  }
}
