import type { ServiceState } from '../../controller/evidence-ports.ts';
import { at, list, metaOf, optionalText, record, stringMap } from '../json.ts';
import { type Selector, isEmpty, readSelector, selects } from '../label-selector.ts';
import { lastChangeMs } from './last-change.ts';

type Labels = Readonly<Record<string, string>>;

interface NamedService {
  readonly name: string;
  /** Empty: endpoints are written by somebody else, or there are none to speak of. */
  readonly selector: Labels;
  readonly changedAtMs?: number;
}

export function readService(object: unknown): NamedService | undefined {
  const spec = at(object, 'spec');
  if (spec.type === 'ExternalName') return undefined;
  const changedAtMs = lastChangeMs(object);
  return {
    name: metaOf(object).name,
    selector: stringMap(spec.selector),
    ...(changedAtMs !== undefined && { changedAtMs }),
  };
}

/** A Service without selector selects nothing. */
export const selectsPods = ({ selector }: NamedService, labels: Labels): boolean =>
  Object.keys(selector).length > 0 && Object.entries(selector).every(([key, value]) => labels[key] === value);

const SERVICE_NAME = 'kubernetes.io/service-name';

/** What the EndpointSlices say of each Service. One that has none at all has no endpoint. */
export function serviceStates(services: readonly NamedService[], slices: readonly unknown[]): readonly ServiceState[] {
  const byService = Map.groupBy(slices, (slice) => stringMap(at(slice, 'metadata').labels)[SERVICE_NAME] ?? '');
  return services.map(({ name }) => {
    const ready = new Set<string>();
    const pods = new Set<string>();
    for (const entry of (byService.get(name) ?? []).flatMap((slice) => list(record(slice).endpoints))) {
      const { kind, name: target } = at(entry, 'targetRef');
      const pod = kind === 'Pod' ? optionalText(target) : undefined;
      if (pod !== undefined) pods.add(pod);
      // A missing condition means ready; a pod on two stacks stands in two slices.
      if (at(entry, 'conditions').ready !== false) ready.add(pod ?? JSON.stringify(record(entry).addresses));
    }
    return { name, readyEndpoints: ready.size, pods: [...pods].sort() };
  });
}

interface NamedNetworkPolicy {
  readonly name: string;
  readonly selector: Selector;
  readonly changedAtMs?: number;
}

export function readNetworkPolicy(object: unknown): NamedNetworkPolicy {
  const selector = readSelector(at(object, 'spec').podSelector) ?? { matchLabels: {}, matchExpressions: [] };
  const changedAtMs = lastChangeMs(object);
  return { name: metaOf(object).name, selector, ...(changedAtMs !== undefined && { changedAtMs }) };
}

/** An empty selector takes in every pod of the namespace. */
export const bindsPods = ({ selector }: NamedNetworkPolicy, labels: Labels): boolean =>
  isEmpty(selector) || selects(selector, labels);
