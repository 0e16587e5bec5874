import type { EffectName } from '../policy/action.ts';
import type { ThrottleProvider } from '../policy/throttle-path.ts';
import { type Result, ok } from '../lib/result.ts';
import type { KubeClient } from './client.ts';
import type { CallFault } from './errors.ts';
import { at, list, record, text } from './json.ts';
import { RESOURCES, type Resource } from './resources.ts';

interface Right {
  readonly verb: string;
  readonly resource: Resource;
  readonly subresource?: string;
  /** Only asked for where the API group exists. */
  readonly optional?: boolean;
  /** Only asked for where this provider of throttle_api is enabled. */
  readonly provider?: ThrottleProvider;
}

const scaleRights = (verb: string): Right[] => [
  { verb, resource: RESOURCES.deployments, subresource: 'scale' },
  { verb, resource: RESOURCES.statefulSets, subresource: 'scale' },
  { verb, resource: RESOURCES.rollouts, subresource: 'scale', optional: true },
];

const providerRights = (provider: ThrottleProvider, resource: Resource, verbs: readonly string[]): readonly Right[] =>
  verbs.map((verb) => ({ verb, resource, provider, optional: true }));

const OWN = ['get', 'list', 'create', 'delete'] as const;

/** What each effect writes, exactly as the chart grants it behind the effect's own switch. */
const RIGHTS: Readonly<Partial<Record<EffectName, readonly Right[]>>> = {
  restart_pod: [
    { verb: 'create', resource: RESOURCES.pods, subresource: 'eviction' },
    { verb: 'patch', resource: RESOURCES.deployments },
    { verb: 'patch', resource: RESOURCES.statefulSets },
    { verb: 'patch', resource: RESOURCES.daemonSets },
    { verb: 'patch', resource: RESOURCES.rollouts, optional: true },
  ],
  scale_up: [...scaleRights('get'), ...scaleRights('update')],
  scale_down: [...scaleRights('get'), ...scaleRights('update')],
  // clear_cache asks the pod itself, or needs pods/exec in the namespaces where that was granted on purpose.
  throttle_api: [
    ...providerRights('EnvoyGateway', RESOURCES.backendTrafficPolicies, OWN),
    ...providerRights('EnvoyGateway', RESOURCES.httpRoutes, ['get', 'list']),
    ...providerRights('Istio', RESOURCES.envoyFilters, OWN),
    ...providerRights('IngressNginx', RESOURCES.ingresses, ['get', 'list', 'patch']),
  ],
};

export interface EffectRights {
  readonly effect: EffectName;
  /** `verb resource[/subresource]` of each right that is missing; empty: the effect can be done. */
  readonly missing: readonly string[];
}

/**
 * Asks the API server which rights each enabled effect lacks, in one namespace or in all; of throttle_api, those of the
 * providers that may be used. Changes nothing.
 */
export async function missingRights(
  client: KubeClient,
  effects: readonly EffectName[],
  { namespace, providers = [] }: { readonly namespace?: string; readonly providers?: readonly ThrottleProvider[] } = {},
): Promise<Result<readonly EffectRights[], CallFault>> {
  const groups = await apiGroups(client);
  if (!groups.ok) return groups;
  const answers: EffectRights[] = [];
  for (const effect of effects) {
    const missing: string[] = [];
    for (const right of RIGHTS[effect] ?? []) {
      if (right.optional === true && !groups.value.has(right.resource.group)) continue;
      if (right.provider !== undefined && !providers.includes(right.provider)) continue;
      const allowed = await mayI(client, right, namespace);
      if (!allowed.ok) return allowed;
      if (!allowed.value) missing.push(nameOf(right));
    }
    answers.push({ effect, missing });
  }
  return ok(answers);
}

/** Names of the API groups that the server offers. */
async function apiGroups(client: KubeClient): Promise<Result<ReadonlySet<string>, CallFault>> {
  const reply = await client.groups();
  return reply.ok ? ok(new Set(list(reply.value.groups).map((group) => text(record(group).name)))) : reply;
}

async function mayI(client: KubeClient, right: Right, namespace?: string): Promise<Result<boolean, CallFault>> {
  const { verb, resource, subresource } = right;
  const reply = await client.call({
    method: 'POST',
    target: { resource: RESOURCES.accessReviews },
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: {
        resourceAttributes: {
          verb,
          group: resource.group,
          resource: resource.plural,
          ...(subresource === undefined ? {} : { subresource }),
          ...(namespace === undefined ? {} : { namespace }),
        },
      },
    },
  });
  return reply.ok ? ok(at(reply.value, 'status').allowed === true) : reply;
}

const nameOf = ({ verb, resource, subresource }: Right): string =>
  `${verb} ${resource.plural}${subresource === undefined ? '' : `/${subresource}`}`;
