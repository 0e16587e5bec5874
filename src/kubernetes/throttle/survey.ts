import type { ApiFault, ThrottleSurvey } from '../../controller/ports.ts';
import { type Result, ok } from '../../lib/result.ts';
import type { WorkloadSnapshot } from '../../lib/workload.ts';
import type { ThrottlePath } from '../../policy/throttle-path.ts';
import type { LimitProvider } from './provider.ts';

/** Asks each provider that this installation may use. One that cannot be asked makes the whole answer unknown. */
export class ProviderSurvey implements ThrottleSurvey {
  readonly #providers: readonly LimitProvider[];

  constructor(providers: readonly LimitProvider[]) {
    this.#providers = providers;
  }

  async look(workload: WorkloadSnapshot): Promise<Result<readonly ThrottlePath[], ApiFault>> {
    const paths: ThrottlePath[] = [];
    for (const provider of this.#providers) {
      const found = await provider.find(workload);
      if (!found.ok) return found;
      if (found.value !== undefined) paths.push(found.value);
    }
    return ok(paths);
  }
}
