import { MINUTE } from '../lib/duration.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { WorkloadSnapshot } from '../lib/workload.ts';
import { workloadKey } from '../lib/workload.ts';
import type { ThrottlePath } from '../policy/throttle-path.ts';
import type { ThrottleSurvey } from './ports.ts';

/** Routes and gateways change seldom; whoever is about to write looks anew. */
const LOOK_EVERY_MS = MINUTE;

/** What is known of the ways to limit each workload's traffic, looked up before it is asked for. */
export class ThrottleWatch {
  readonly #survey: ThrottleSurvey;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #known = new Map<string, { readonly paths: readonly ThrottlePath[] | undefined; readonly atMs: number }>();

  constructor({ survey, clock, log }: { readonly survey: ThrottleSurvey; readonly clock: Clock; readonly log: Log }) {
    this.#survey = survey;
    this.#clock = clock;
    this.#log = log;
  }

  /** Looks again where the last look is older than a minute; `now`: in any case. A look that fails is not remembered. */
  async look(workload: WorkloadSnapshot, now = false): Promise<void> {
    const { uid } = workload.ref;
    const last = this.#known.get(uid);
    const nowMs = this.#clock.monotonicMs();
    if (!now && last?.paths !== undefined && nowMs - last.atMs < LOOK_EVERY_MS) return;
    const found = await this.#survey.look(workload);
    if (!found.ok) this.#log.warn('what carries the traffic cannot be looked at', this.#facts(workload, found.error));
    this.#known.set(uid, { paths: found.ok ? found.value : undefined, atMs: nowMs });
  }

  /** `undefined`: not looked at, or it could not be. */
  pathsOf(workloadUid: string): readonly ThrottlePath[] | undefined {
    return this.#known.get(workloadUid)?.paths;
  }

  forget(isKnown: (workloadUid: string) => boolean): void {
    for (const uid of this.#known.keys()) if (!isKnown(uid)) this.#known.delete(uid);
  }

  #facts(workload: WorkloadSnapshot, fault: object): Readonly<Record<string, unknown>> {
    return { workload: workloadKey(workload.ref), fault };
  }
}
