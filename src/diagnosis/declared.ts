import type { WorkloadSnapshot } from '../lib/workload.ts';

/** What owners say of a workload by annotation, because nothing in the cluster shows it. */
const ANNOTATIONS = {
  /** `ledger, orders-db, external:api.example.com`: workloads or Services of its own namespace, and hosts outside. */
  dependsOn: 'healing.aegis.dev/depends-on',
  /** The one of them that fills the cache which clear_cache empties. */
  cacheStore: 'healing.aegis.dev/cache-store',
  /** Volumes of the pod template that hold that cache. */
  cacheVolumes: 'healing.aegis.dev/cache-volumes',
} as const;

/** More than this is no list of dependencies any more. */
const MOST = 50;
const NAME = /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/;
const EXTERNAL = 'external:';

export interface DeclaredDependency {
  readonly name: string;
  readonly isExternal: boolean;
}

export interface Declared {
  readonly dependsOn: readonly DeclaredDependency[];
  readonly cacheStore?: string;
  readonly cacheVolumes: readonly string[];
  /** What was declared and cannot be read: sentences for people. */
  readonly problems: readonly string[];
}

/** Names have no namespace: a declaration reaches no further than its own. */
export function readDeclared({ annotations }: Pick<WorkloadSnapshot, 'annotations'>): Declared {
  const problems: string[] = [];
  const namesIn = (key: string): readonly string[] => {
    const parts = (annotations[key] ?? '').split(/[\s,]+/).filter((part) => part !== '');
    if (parts.length > MOST) problems.push(`${key}: only the first ${MOST} of ${parts.length} are read`);
    return parts.slice(0, MOST).filter((part) => {
      const isName = NAME.test(part.startsWith(EXTERNAL) ? part.slice(EXTERNAL.length) : part);
      if (!isName) problems.push(`${key}: ${JSON.stringify(part.slice(0, 63))} is no name`);
      return isName;
    });
  };
  const [cacheStore] = namesIn(ANNOTATIONS.cacheStore);
  // What fills the cache is called for it, whether it is listed once more or not.
  const callees = [...namesIn(ANNOTATIONS.dependsOn), ...(cacheStore === undefined ? [] : [cacheStore])];
  const dependsOn = [...new Set(callees)].map((part) => {
    const isExternal = part.startsWith(EXTERNAL);
    return { name: isExternal ? part.slice(EXTERNAL.length) : part, isExternal };
  });
  const cacheVolumes = namesIn(ANNOTATIONS.cacheVolumes);
  return { dependsOn, cacheVolumes, problems, ...(cacheStore !== undefined && { cacheStore }) };
}
