import { describe, expect, test } from '@jest/globals';
import { DnsPodCache } from '../../../src/kubernetes/dns-pod-cache.ts';
import { readPod } from '../../../src/kubernetes/read-pod.ts';
import { aPod } from '../../support/builders/kubernetes.ts';

interface Seen {
  readonly name: string;
  readonly ready?: boolean;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly isGone?: boolean;
}

const CORE = { 'k8s-app': 'kube-dns' };

function after(...seen: readonly Seen[]) {
  const cache = new DnsPodCache();
  for (const { name, ready = true, namespace = 'kube-system', labels = CORE, isGone = false } of seen) {
    const object = aPod({ name, namespace });
    const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }];
    const value = readPod({
      ...object,
      metadata: { ...object.metadata, labels },
      status: { ...object.status, conditions },
    });
    cache.apply({ kind: isGone ? 'gone' : 'set', key: `${namespace}/${name}`, value, previous: undefined });
  }
  return cache.pods();
}

describe('the pods that resolve names', () => {
  test.each<[string, readonly Seen[], object | undefined]>([
    ['none was ever seen: not known', [], undefined],
    ['two ready', [{ name: 'a' }, { name: 'b' }], { name: 'kube-system/kube-dns', ready: 2, total: 2 }],
    [
      'one fell ill',
      [{ name: 'a' }, { name: 'b' }, { name: 'a', ready: false }],
      { name: 'kube-system/kube-dns', ready: 1, total: 2 },
    ],
    [
      'one is gone',
      [{ name: 'a' }, { name: 'b' }, { name: 'a', isGone: true }],
      { name: 'kube-system/kube-dns', ready: 1, total: 1 },
    ],
    [
      'all are gone: that is seen',
      [{ name: 'a' }, { name: 'a', isGone: true }],
      { name: 'kube-system/kube-dns', ready: 0, total: 0 },
    ],
    [
      'OpenShift’s',
      [{ name: 'a', namespace: 'openshift-dns', labels: { 'dns.operator.openshift.io/daemonset-dns': 'default' } }],
      { name: 'openshift-dns/default', ready: 1, total: 1 },
    ],
    ['one of that label in somebody’s namespace is none', [{ name: 'a', namespace: 'shop' }], undefined],
    ['other pods of the system are none', [{ name: 'a', labels: { 'k8s-app': 'metrics-server' } }], undefined],
  ])('%s', (_, seen, expected) => {
    expect(after(...seen)).toEqual(expected);
  });
});
