import type { Executor, LimitStanding } from '../../controller/ports.ts';
import type { Outcome, Settlement } from '../../healing/decision.ts';
import type { WorkloadSnapshot } from '../../lib/workload.ts';
import type { Intent } from '../../policy/action.ts';
import { type LimitProvider, throttleOf } from '../throttle/provider.ts';

/**
 * Limits the workload's traffic through the provider that was chosen when it was decided. The limit outlives the process
 * and the workload, so it is taken back by the action's name alone.
 */
export class ThrottleApi implements Executor {
  readonly action = 'throttle_api';
  readonly #providers: readonly LimitProvider[];

  constructor(providers: readonly LimitProvider[]) {
    this.#providers = providers;
  }

  dryRun(intent: Intent, live: WorkloadSnapshot): Promise<Outcome> {
    return this.#apply(intent, live, true);
  }

  perform(intent: Intent, live: WorkloadSnapshot): Promise<Outcome> {
    return this.#apply(intent, live, false);
  }

  async settle(intent: Intent): Promise<Settlement> {
    return (await this.#provider(intent)?.settle(intent)) ?? 'unseen';
  }

  async isVisible(intent: Intent): Promise<boolean> {
    return (await this.settle(intent)) === 'done';
  }

  leavesTrace(intent: Intent): boolean {
    return this.#provider(intent)?.leavesTrace ?? true;
  }

  async standing(intent: Intent): Promise<LimitStanding> {
    const unseen = { kind: 'unseen', message: missing(intent) } as const;
    return (await this.#provider(intent)?.standing(intent)) ?? unseen;
  }

  /** Without the provider (its switch was turned off since) it is tried on: what Aegis changed it must take back. */
  async undo(intent: Intent): Promise<Outcome> {
    const blocked = { kind: 'blocked', reason: 'Forbidden', message: missing(intent) } as const;
    return (await this.#provider(intent)?.remove(intent)) ?? blocked;
  }

  async renew(intent: Intent, renewal: number): Promise<Outcome> {
    const provider = this.#provider(intent);
    if (provider === undefined) return { kind: 'refused', reason: 'UnsupportedByCluster', message: missing(intent) };
    const stands = await provider.standing(intent);
    if (stands.kind !== 'holds') return { kind: 'refused', reason: 'TargetChanged', message: stands.message };
    return (await provider.renew?.(intent, renewal)) ?? { kind: 'applied', detail: stands.message };
  }

  async #apply(intent: Intent, live: WorkloadSnapshot, dryRun: boolean): Promise<Outcome> {
    const unsupported = { kind: 'refused', reason: 'UnsupportedByCluster', message: missing(intent) } as const;
    return (await this.#provider(intent)?.apply(intent, live, dryRun)) ?? unsupported;
  }

  #provider(intent: Intent): LimitProvider | undefined {
    const wanted = throttleOf(intent)?.throttle.provider;
    return this.#providers.find(({ name }) => name === wanted);
  }
}

const missing = (intent: Intent): string =>
  `this installation has no provider ${throttleOf(intent)?.throttle.provider ?? '(none)'}`;
