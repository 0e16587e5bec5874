import { stormReport, type StormCase, type StormReport } from '../healing/storm-report.ts';
import type { Log } from '../lib/log.ts';
import { workloadKey } from '../lib/workload.ts';
import type { StormState } from '../policy/guard.ts';
import { CLUSTER_SCOPE, namesOf } from '../policy/storm.ts';
import type { AlertDesk } from './alert-desk.ts';
import { eventNote, regardingPolicy } from './events.ts';
import type { IncidentBook } from './incident-book.ts';
import type { EventSink, MetricsSink } from './ports.ts';
import type { StormWatch } from './storm-watch.ts';
import type { Surroundings } from './surroundings.ts';

/** Names in one Event's note. */
const MOST_NAMES = 10;

interface StormDeskDeps {
  readonly book: IncidentBook;
  readonly storms: StormWatch;
  readonly surroundings: Pick<Surroundings, 'policies' | 'guardrails'>;
  readonly alerts: Pick<AlertDesk, 'storms'>;
  readonly events: EventSink;
  readonly metrics: MetricsSink;
  readonly log: Log;
}

/** Sees storms before anything is decided, and tells of them once it is known what their workloads suffer from. */
export class StormDesk {
  readonly #deps: StormDeskDeps;

  constructor(deps: StormDeskDeps) {
    this.#deps = deps;
  }

  look(nowMs: number, mayDecide: boolean): void {
    const { book, storms, surroundings, metrics } = this.#deps;
    const begun = storms.look(book.watched(), surroundings.guardrails() ?? [], nowMs, mayDecide);
    for (const { scope, active, anomalous } of storms.states()) {
      metrics.gauge('aegis_storm_active', active ? 1 : 0, { scope });
      metrics.gauge('aegis_storm_workloads', active ? anomalous : 0, { scope });
    }
    for (const state of mayDecide ? begun : []) this.#announce(state);
  }

  /** To be called when the incidents of this poll have their diagnoses. */
  tell(nowMs: number): void {
    const { storms, alerts } = this.#deps;
    alerts.storms(storms.active(), nowMs, (state) => this.#report(state));
  }

  #announce({ scope, anomalous, workloads = [] }: StormState): void {
    const { surroundings, events, log } = this.#deps;
    log.warn('a storm began: no effect until it is over', { scope, anomalous, workloads });
    const names = namesOf(workloads, { most: MOST_NAMES, of: anomalous });
    const which = names === '' ? '' : `: ${names}`;
    const note = `${anomalous} workloads turned anomalous together (${scope})${which}. No effect until it is over`;
    for (const policy of surroundings.policies()) {
      if (scope !== CLUSTER_SCOPE && policy.namespace !== scope) continue;
      events.emit(eventNote(regardingPolicy(policy), 'StormStarted', note));
    }
  }

  #report(state: StormState): StormReport {
    const cases = new Map<string, StormCase>();
    for (const { workload, history, diagnosis } of this.#deps.book.tracks()) {
      if (history.incident === undefined) continue;
      if (state.scope !== CLUSTER_SCOPE && workload.namespace !== state.scope) continue;
      const name = workloadKey(workload);
      if (cases.get(name)?.diagnosis === undefined) {
        cases.set(name, { workload: name, ...(diagnosis !== undefined && { diagnosis }) });
      }
    }
    return stormReport(
      state,
      [...cases.values()].sort((a, b) => (a.workload < b.workload ? -1 : 1)),
    );
  }
}
