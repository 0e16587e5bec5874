import type { ContainerSnapshot, PodSnapshot, WorkloadKind } from '../../lib/workload.ts';
import { Cursor, FACTS, isFact, TERMINATED, WAITING, type RecordedSeries } from './recorded-series.ts';

/** What does not change in a pod's life: known once, it held before as well. */
const FIXED: ReadonlySet<string> = new Set([FACTS.cpuLimit, FACTS.memoryLimit, FACTS.created]);

/** How old a pod is taken to be that was there when the record begins. */
const OLD_MS = 86_400_000;

/** One pod of the record: when it was there, and what its object would have said. */
export class RecordedPod {
  readonly name: string;
  readonly namespace: string;
  readonly workload: string;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly #kind: WorkloadKind;
  readonly #recordStartMs: number;
  readonly #facts: ReadonlyMap<string, readonly Cursor[]>;
  #known: { readonly key: string; readonly snapshot: PodSnapshot } | undefined;

  constructor(
    name: string,
    series: readonly RecordedSeries[],
    of: {
      readonly namespace: string;
      readonly workload: string;
      readonly kind: WorkloadKind;
      readonly recordStartMs: number;
    },
  ) {
    this.name = name;
    this.namespace = of.namespace;
    this.workload = of.workload;
    this.#kind = of.kind;
    this.#recordStartMs = of.recordStartMs;
    this.firstMs = Math.min(...series.map(({ timesMs }) => timesMs[0] ?? Infinity));
    this.lastMs = Math.max(...series.map(({ timesMs }) => timesMs.at(-1) ?? -Infinity));
    const facts = series.filter(({ metric }) => isFact(metric)).map((each) => new Cursor(each));
    this.#facts = Map.groupBy(facts, (cursor) => cursor.series.metric);
  }

  /** Series that ended two samples ago may be a gap; what told of the pod itself tells at once that it is gone. */
  isThere(nowMs: number, sampleIntervalMs: number): boolean {
    if (nowMs < this.firstMs) return false;
    const told = this.#facts.get(FACTS.ready)?.[0]?.series.timesMs.at(-1);
    return told === undefined ? nowMs <= this.lastMs + 2 * sampleIntervalMs : nowMs < told + sampleIntervalMs;
  }

  /** The pod as the API server would have shown it; the same object while nothing changed. */
  at(nowMs: number): PodSnapshot {
    const key = [...this.#facts.keys()].map((name) => this.#fact(name, nowMs) ?? '').join();
    if (this.#known?.key !== key) this.#known = { key, snapshot: this.#snapshot(nowMs) };
    return this.#known.snapshot;
  }

  #fact(name: string, nowMs: number): number | undefined {
    const isFixed = FIXED.has(name);
    let sum: number | undefined;
    for (const cursor of this.#facts.get(name) ?? []) {
      const value = cursor.valueAt(nowMs) ?? (isFixed ? cursor.series.values[0] : undefined);
      if (value !== undefined) sum = (sum ?? 0) + value;
    }
    return sum;
  }

  /** The reason among those recorded under the prefix that holds now. */
  #reason(prefix: string, nowMs: number): string | undefined {
    const holding = [...this.#facts.keys()].filter((n) => n.startsWith(prefix) && (this.#fact(n, nowMs) ?? 0) > 0);
    return holding[0]?.slice(prefix.length);
  }

  /** When the pod's restarts were last seen to rise. */
  #restartedAtMs(nowMs: number): number | undefined {
    const [cursor] = this.#facts.get(FACTS.restarts) ?? [];
    if (cursor === undefined) return undefined;
    const { values, timesMs } = cursor.series;
    let at = cursor.seek(nowMs);
    while (at > 0 && values[at] === values[at - 1]) at -= 1;
    return at > 0 ? timesMs[at] : undefined;
  }

  #snapshot(nowMs: number): PodSnapshot {
    const created = this.#fact(FACTS.created, nowMs);
    const isOld = this.firstMs <= this.#recordStartMs;
    const ready = (this.#fact(FACTS.ready, nowMs) ?? 1) > 0;
    const readyCondition = { type: 'Ready', status: ready ? 'True' : 'False', changedAtMs: nowMs } as const;
    const hash = templateHashOf(this.name, this.#kind);
    return {
      ...{ name: this.name, uid: this.name, namespace: this.namespace, phase: 'Running', ready },
      createdAtMs: created === undefined ? (isOld ? this.#recordStartMs - OLD_MS : this.firstMs) : created * 1000,
      ...{ hostNetwork: false, labels: {}, annotations: {}, conditions: [readyCondition] },
      controllerKind: this.#kind === 'Deployment' ? 'ReplicaSet' : this.#kind,
      containers: [this.#container(ready, nowMs)],
      ...(hash !== undefined && { templateHash: hash }),
    };
  }

  #container(ready: boolean, nowMs: number): ContainerSnapshot {
    const waitingReason = this.#reason(WAITING, nowMs);
    const ended = this.#reason(TERMINATED, nowMs);
    const [cpuLimit, memoryLimit] = [this.#fact(FACTS.cpuLimit, nowMs), this.#fact(FACTS.memoryLimit, nowMs)];
    const finishedAtMs = this.#restartedAtMs(nowMs);
    return {
      ...{ name: 'app', image: 'as-recorded', init: false, ready },
      restartCount: this.#fact(FACTS.restarts, nowMs) ?? 0,
      state: waitingReason === undefined ? 'running' : 'waiting',
      ...(waitingReason !== undefined && { waitingReason }),
      ...(ended !== undefined && {
        lastTermination: {
          ...{ reason: ended, exitCode: ended === 'OOMKilled' ? 137 : 1 },
          ...(finishedAtMs !== undefined && { finishedAtMs }),
        },
      }),
      ...(cpuLimit !== undefined && cpuLimit > 0 && { cpuLimit }),
      ...(memoryLimit !== undefined && memoryLimit > 0 && { memoryLimit }),
    };
  }
}

/** `web-6d4f9c-x2x4z` was made of template `6d4f9c`; other kinds do not show theirs. */
function templateHashOf(pod: string, kind: WorkloadKind): string | undefined {
  const parts = pod.split('-');
  return kind === 'Deployment' && parts.length > 2 ? parts.at(-2) : undefined;
}

/** `web-6d4f9c-x2x4z` belongs to Deployment `web`, `web-0` to StatefulSet `web`, `web-x2x4z` to DaemonSet `web`. */
export function workloadOf(pod: string, kind: WorkloadKind): string {
  const cut = kind === 'Deployment' || kind === 'Rollout' ? 2 : 1;
  const parts = pod.split('-');
  return parts.length > cut ? parts.slice(0, -cut).join('-') : pod;
}
