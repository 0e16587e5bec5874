import type { DnsPods } from '../controller/evidence-ports.ts';
import type { CacheChange } from './object-cache.ts';
import type { CachedPod } from './read-pod.ts';

/** Where the cluster's DNS runs: CoreDNS or kube-dns as kubeadm and the clouds install it, and OpenShift's. */
const PLACES = [
  { namespace: 'kube-system', label: 'k8s-app', value: 'kube-dns' },
  { namespace: 'openshift-dns', label: 'dns.operator.openshift.io/daemonset-dns', value: 'default' },
] as const;

/** The few pods, of all that are watched, that resolve names for everybody. */
export class DnsPodCache {
  readonly #ready = new Map<string, boolean>();
  #name = '';

  apply({ kind, key, value }: CacheChange<CachedPod>): void {
    const { namespace, labels, ready, deletedAtMs } = value.snapshot;
    const place = PLACES.find((each) => each.namespace === namespace && labels[each.label] === each.value);
    if (place === undefined) return;
    if (kind === 'gone' || deletedAtMs !== undefined) this.#ready.delete(key);
    else this.#ready.set(key, ready);
    this.#name = `${place.namespace}/${place.value}`;
  }

  /** `undefined`: none was ever seen; that all are gone is seen. */
  pods(): DnsPods | undefined {
    if (this.#name === '') return undefined;
    const ready = [...this.#ready.values()].filter(Boolean).length;
    return { name: this.#name, ready, total: this.#ready.size };
  }
}
