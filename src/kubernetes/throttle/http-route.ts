import { at, list, record, text, type Json } from '../json.ts';

/** A gateway that took an HTTPRoute in. */
export interface GatewayRef {
  readonly namespace: string;
  readonly name: string;
}

/** Controllers of Envoy Gateway; its own name may bear another suffix. */
const ENVOY_GATEWAY = 'gateway.envoyproxy.io/';

/** Names of the Services behind the route; `undefined` for what is no Service of its namespace. */
export function servicesOf(route: Json): readonly (string | undefined)[] {
  const { namespace } = at(route, 'metadata');
  return list(at(route, 'spec').rules)
    .flatMap((rule) => list(record(rule).backendRefs))
    .map((entry) => {
      const backend = record(entry);
      const isService = (backend.kind ?? 'Service') === 'Service' && (backend.group ?? '') === '';
      const isHere = (backend.namespace ?? namespace) === namespace;
      return isService && isHere ? text(backend.name) : undefined;
    });
}

/**
 * The Envoy gateways that accepted the route. The route's author may name any gateway; whether it takes part, that
 * gateway's controller has written into the status, which the author may not write.
 */
export function envoyGatewaysOf(route: Json): readonly GatewayRef[] {
  const own = text(at(route, 'metadata').namespace);
  const found = list(at(route, 'status').parents).flatMap((entry): GatewayRef[] => {
    const parent = record(entry);
    const ref = record(parent.parentRef);
    const isAccepted = list(parent.conditions).some(
      (condition) => record(condition).type === 'Accepted' && record(condition).status === 'True',
    );
    if (!text(parent.controllerName).startsWith(ENVOY_GATEWAY) || !isAccepted) return [];
    if ((ref.kind ?? 'Gateway') !== 'Gateway') return [];
    return [{ namespace: text(ref.namespace) || own, name: text(ref.name) }];
  });
  return [...new Map(found.map((each) => [`${each.namespace}/${each.name}`, each])).values()];
}
