import type { LimitStanding, OutboundFault, OutboundReply, ThrottleHook } from '../../controller/ports.ts';
import type { Outcome, Settlement } from '../../healing/decision.ts';
import { type Result, ok } from '../../lib/result.ts';
import type { WorkloadSnapshot } from '../../lib/workload.ts';
import type { Intent } from '../../policy/action.ts';
import type { ThrottlePath } from '../../policy/throttle-path.ts';
import type { CallFault } from '../errors.ts';
import { LEASE_TOO_OLD, SOON_MS } from '../executors/outcomes.ts';
import type { ExecutorContext } from '../executors/restart-pod.ts';
import { type LimitProvider, throttleOf } from './provider.ts';

type Call = 'apply' | 'remove';
type Reply = Result<OutboundReply, OutboundFault>;

/**
 * Leaves the limit to a service of the administrator's. It keeps the limit by the action's id and the time by itself;
 * the same call twice, which its key tells, is one. So a call whose answer was lost is sent once more, and an
 * interrupted one is sent anew.
 */
export class HookLimit implements LimitProvider {
  readonly name = 'Hook';
  readonly leavesTrace = false;
  readonly #context: ExecutorContext;
  readonly #hook: ThrottleHook;

  constructor(context: ExecutorContext, hook: ThrottleHook) {
    this.#context = context;
    this.#hook = hook;
  }

  /** Whose traffic it can limit, the administrator who set it up knows. */
  find(): Promise<Result<ThrottlePath | undefined, CallFault>> {
    return Promise.resolve(ok({ provider: this.name, routes: [] }));
  }

  async apply(intent: Intent, _live: WorkloadSnapshot, dryRun: boolean): Promise<Outcome> {
    if (dryRun) return { kind: 'applied', detail: 'would call the hook, which has no dry run' };
    if (!this.#context.mayBeginEffect()) return LEASE_TOO_OLD;
    return this.#call(intent, 'apply', `${intent.name}/apply`);
  }

  /** Nothing shows whether it was called; calling it again with the same key is no second limit. */
  settle(): Promise<Settlement> {
    return Promise.resolve('absent');
  }

  standing(): Promise<LimitStanding> {
    return Promise.resolve({ kind: 'holds', message: 'the hook took it' });
  }

  remove(intent: Intent): Promise<Outcome> {
    return this.#call(intent, 'remove', `${intent.name}/remove`);
  }

  renew(intent: Intent, renewal: number): Promise<Outcome> {
    return this.#call(intent, 'apply', `${intent.name}/apply/${renewal}`);
  }

  async #call(intent: Intent, action: Call, key: string): Promise<Outcome> {
    const parameters = throttleOf(intent);
    if (parameters === undefined) return { kind: 'failed', reason: 'Rejected', message: 'no limit is asked' };
    const { kind, namespace, name } = intent.target;
    const call = {
      ...{ action, key, id: intent.name, target: { kind, namespace, name } },
      ...{ limitPerSecond: parameters.limitPerSecond, ttlSeconds: parameters.throttle.ttlSeconds },
    };
    const first = await this.#hook.send(call);
    return outcomeOf(isLost(first) ? await this.#hook.send(call) : first, action);
  }
}

/** It may have acted, and did not say so. */
function isLost(reply: Reply): boolean {
  return reply.ok ? reply.value.status >= 500 : reply.error.kind === 'Timeout' || reply.error.kind === 'Broken';
}

function outcomeOf(reply: Reply, action: Call): Outcome {
  if (!reply.ok) return faultOf(reply.error);
  const { status, retryAfterMs = SOON_MS } = reply.value;
  const message = `the hook answered ${status}`;
  if (status >= 200 && status < 300) return { kind: 'applied', detail: message };
  if (status === 404 && action === 'remove') return { kind: 'already', detail: 'the hook knows no such limit' };
  if (status === 429) return { kind: 'blocked', reason: 'Backoff', message, retryAfterMs };
  return status >= 500 ? { kind: 'ambiguous', message } : { kind: 'failed', reason: 'Rejected', message };
}

function faultOf({ kind, message }: OutboundFault): Outcome {
  switch (kind) {
    case 'Forbidden':
      return { kind: 'refused', reason: 'UrlForbidden', message };
    case 'Unsent':
      return {
        kind: 'blocked',
        reason: 'UnsafeToRead',
        message: `${message}; nothing was sent`,
        retryAfterMs: SOON_MS,
      };
    case 'Timeout':
    case 'Broken':
      return { kind: 'ambiguous', message };
  }
}
