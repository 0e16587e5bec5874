import type { MountedClaim } from '../../controller/evidence-ports.ts';
import type { PodRef, WorkloadKind } from '../../lib/workload.ts';
import { type Json, at, list, metaOf, optionalText, record, stringMap } from '../json.ts';

/** What a pod template stands on, by name. */
export interface Template {
  readonly labels: Readonly<Record<string, string>>;
  readonly configMaps: readonly string[];
  readonly secrets: readonly string[];
  readonly volumes: readonly { readonly volume: string; readonly claim: string }[];
  /** Volumes of which every pod has its own claim, `NAME-POD` (StatefulSet) or `POD-NAME` (ephemeral). */
  readonly claimTemplates: readonly { readonly volume: string; readonly style: 'stateful' | 'ephemeral' }[];
}

/** In every namespace, written by the control plane: no configuration of anybody. */
const EVERYWHERE = 'kube-root-ca.crt';

export function readTemplate(kind: WorkloadKind, object: unknown): Template {
  const spec = at(object, 'spec');
  const template = at(spec, 'template');
  const podSpec = at(template, 'spec');
  const volumes = list(podSpec.volumes).map(record);
  const sources = volumes.flatMap((volume) => [volume, ...list(at(volume, 'projected').sources).map(record)]);
  const containers = [...list(podSpec.initContainers), ...list(podSpec.containers)].map(record);
  const env = containers.flatMap((container) => list(container.env).map((entry) => at(entry, 'valueFrom')));
  const envFrom = containers.flatMap((container) => list(container.envFrom).map(record));
  const claimed = volumes.flatMap((volume) => {
    const claim = optionalText(at(volume, 'persistentVolumeClaim').claimName);
    return claim === undefined ? [] : [{ volume: nameOf(volume), claim }];
  });
  const stateful = kind === 'StatefulSet' ? list(spec.volumeClaimTemplates).map((each) => metaOf(each).name) : [];
  const ephemeral = volumes.filter((volume) => volume.ephemeral !== undefined).map(nameOf);
  return {
    labels: stringMap(at(template, 'metadata').labels),
    configMaps: names([
      ...sources.map((source) => at(source, 'configMap').name),
      ...env.map((from) => at(from, 'configMapKeyRef').name),
      ...envFrom.map((from) => at(from, 'configMapRef').name),
    ]).filter((name) => name !== EVERYWHERE),
    secrets: names([
      ...sources.map((source) => at(source, 'secret').secretName ?? at(source, 'secret').name),
      ...env.map((from) => at(from, 'secretKeyRef').name),
      ...envFrom.map((from) => at(from, 'secretRef').name),
    ]),
    volumes: claimed,
    claimTemplates: [
      ...stateful.map((volume) => ({ volume, style: 'stateful' as const })),
      ...ephemeral.map((volume) => ({ volume, style: 'ephemeral' as const })),
    ],
  };
}

/** The claims that these pods mount. */
export function claimsOf(template: Template, pods: readonly PodRef[]): readonly MountedClaim[] {
  const own = template.claimTemplates.flatMap(({ volume, style }) =>
    pods.map(({ name: pod }) => ({
      volume,
      pod,
      claim: style === 'stateful' ? `${volume}-${pod}` : `${pod}-${volume}`,
    })),
  );
  return [...template.volumes, ...own];
}

const nameOf = (volume: Json): string => optionalText(volume.name) ?? '';

const names = (values: readonly unknown[]): readonly string[] => [
  ...new Set(values.flatMap((value) => optionalText(value) ?? [])),
];
