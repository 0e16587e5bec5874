import type { Executor, PostToPod } from '../../controller/ports.ts';
import type { Outcome, Settlement } from '../../healing/decision.ts';
import type { PodSnapshot, WorkloadSnapshot } from '../../lib/workload.ts';
import type { CacheParameters, Intent } from '../../policy/action.ts';
import { RESOURCES } from '../resources.ts';
import { EFFECT_DEADLINE_MS, faultOutcome, LEASE_TOO_OLD, SOON_MS } from './outcomes.ts';
import type { ExecutorContext } from './restart-pod.ts';

/**
 * Empties the cache of one pod: a POST to the pod's own address, or a command in it. Nothing in the cluster shows
 * whether it happened and a warm cache cannot be put back, so it is sent at most once: after a crash it is given up as
 * ambiguous, and an answer that was lost is not asked for again.
 */
export class ClearCache implements Executor {
  readonly action = 'clear_cache';
  readonly #context: ExecutorContext;
  readonly #post: PostToPod;

  constructor(context: ExecutorContext, post: PostToPod) {
    this.#context = context;
    this.#post = post;
  }

  /** Neither way has a dry run: only what can be seen of the pod is looked at. */
  dryRun(intent: Intent, live: WorkloadSnapshot): Promise<Outcome> {
    const found = treated(intent, live);
    return Promise.resolve(
      'kind' in found ? found : { kind: 'applied', detail: `would clear the cache of ${found.pod.name}` },
    );
  }

  async perform(intent: Intent, live: WorkloadSnapshot): Promise<Outcome> {
    const found = treated(intent, live);
    if ('kind' in found) return found;
    if (!this.#context.mayBeginEffect()) return LEASE_TOO_OLD;
    const { cache, pod } = found;
    return 'http' in cache ? this.#ask(pod, cache.http) : this.#run(pod, cache.exec);
  }

  settle(): Settlement {
    return 'unprovable';
  }

  isVisible(): boolean {
    return false;
  }

  leavesTrace(): boolean {
    return false;
  }

  async #ask(pod: PodSnapshot, { port, path }: { readonly port: number; readonly path: string }): Promise<Outcome> {
    const { podIP } = pod;
    if (podIP === undefined) return unsent(`pod ${pod.name} has no address`);
    const reply = await this.#post({ address: podIP, port, path, timeoutMs: EFFECT_DEADLINE_MS });
    const what = `POST ${path} to port ${port} of ${pod.name}`;
    if (reply.ok) {
      const { status } = reply.value;
      if (status >= 200 && status < 300) return { kind: 'applied', detail: `${what}: ${status}` };
      // Below 500 the pod refused; from there on it tried, and how far it came nobody knows.
      return status >= 500
        ? { kind: 'ambiguous', message: `${what}: ${status}` }
        : { kind: 'failed', reason: 'Rejected', message: `${what}: ${status}` };
    }
    const { kind, message } = reply.error;
    switch (kind) {
      case 'Forbidden':
        return { kind: 'failed', reason: 'Rejected', message: `${what}: ${message}` };
      case 'Unsent':
        return unsent(`${what}: ${message}`);
      case 'Timeout':
      case 'Broken':
        return { kind: 'ambiguous', message: `${what}: ${message}` };
    }
  }

  async #run(
    pod: PodSnapshot,
    { container, command }: { readonly container: string; readonly command: readonly string[] },
  ): Promise<Outcome> {
    const reply = await this.#context.client.exec(
      { resource: RESOURCES.pods, namespace: pod.namespace, name: pod.name },
      { container, command, deadlineMs: EFFECT_DEADLINE_MS, fence: this.#context.mayBeginEffect },
    );
    const what = `[${command.join(' ')}] in ${container} of ${pod.name}`;
    // Whoever answers in place of the command has begun none; where no answer came, it may have run.
    if (!reply.ok) return faultOutcome(reply.error, what);
    const { exitCode, output } = reply.value;
    const said = output === '' ? '' : `: ${output}`;
    // A command that failed has run: it is no refusal, which would give the budget back.
    return exitCode === 0
      ? { kind: 'applied', detail: `${what}: exit 0` }
      : { kind: 'ambiguous', message: `${what}: exit ${exitCode}${said}` };
  }
}

type Found = { readonly pod: PodSnapshot; readonly cache: CacheParameters };

/** The one pod to treat, by UID, while it still is what it was when this was decided. */
function treated(intent: Intent, live: WorkloadSnapshot): Found | Outcome {
  const [ref, another] = intent.pods;
  if (intent.parameters.kind !== 'cache' || ref === undefined || another !== undefined) {
    return { kind: 'failed', reason: 'Rejected', message: 'exactly one pod and its cache are treated at a time' };
  }
  const { cache } = intent.parameters;
  const pod = live.pods.find(({ uid }) => uid === ref.uid);
  if (pod === undefined || pod.deletedAtMs !== undefined) {
    return { kind: 'refused', reason: 'TargetGone', message: `pod ${ref.name} is gone` };
  }
  if (!pod.ready) return { kind: 'refused', reason: 'Unsupported', message: `pod ${pod.name} is not ready` };
  if ('http' in cache && pod.hostNetwork) {
    return { kind: 'refused', reason: 'Unsupported', message: `pod ${pod.name} is on the host network` };
  }
  return { pod, cache };
}

const unsent = (message: string): Outcome => ({
  kind: 'blocked',
  reason: 'UnsafeToRead',
  message: `${message}; nothing was sent`,
  retryAfterMs: SOON_MS,
});
