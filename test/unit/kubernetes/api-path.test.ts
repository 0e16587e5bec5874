import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type ApiTarget, type Scope, apiPath } from '../../../src/kubernetes/api-path.ts';
import { RESOURCES } from '../../../src/kubernetes/resources.ts';

const { pods, guardrails, deployments, accessReviews, namespaces } = RESOURCES;

describe('apiPath', () => {
  const good: [string, ApiTarget, string][] = [
    ['core resources live under /api', { resource: pods, namespace: 'shop' }, '/api/v1/namespaces/shop/pods'],
    [
      'others under their group',
      { resource: deployments, namespace: 'a', name: 'b.c' },
      '/apis/apps/v1/namespaces/a/deployments/b.c',
    ],
    ['all namespaces at once', { resource: pods, query: { limit: 500 } }, '/api/v1/pods?limit=500'],
    ['cluster-wide kinds', { resource: guardrails, name: 'x' }, '/apis/healing.aegis.dev/v1alpha1/aegisguardrails/x'],
    [
      'subresources',
      { resource: pods, namespace: 'a', name: 'b', subresource: 'eviction' },
      '/api/v1/namespaces/a/pods/b/eviction',
    ],
    [
      'queries are encoded',
      { resource: pods, query: { labelSelector: 'a=b&c' } },
      '/api/v1/pods?labelSelector=a%3Db%26c',
    ],
    ['absent query values are left out', { resource: pods, query: { continue: '', limit: undefined } }, '/api/v1/pods'],
  ];
  test.each(good)('%s', (_row, target, path) => {
    expect(apiPath(target)).toEqual({ ok: true, value: path });
  });

  const bad: [string, ApiTarget, Scope][] = [
    ['a name may not climb', { resource: pods, namespace: 'shop', name: '..' }, undefined],
    ['nor be encoded', { resource: pods, namespace: 'shop', name: '%2e%2e' }, undefined],
    ['nor hold a slash', { resource: pods, namespace: 'shop', name: 'a/b' }, undefined],
    ['nor start a query', { resource: pods, namespace: 'shop', name: 'a?b' }, undefined],
    ['nor be empty', { resource: pods, namespace: 'shop', name: '' }, undefined],
    ['a namespace has no dots', { resource: pods, namespace: 'a.b' }, undefined],
    ['a namespace has at most 63 characters', { resource: pods, namespace: 'a'.repeat(64) }, undefined],
    ['a namespaced object needs its namespace', { resource: pods, name: 'a' }, undefined],
    ['a cluster-wide object has none', { resource: guardrails, namespace: 'shop', name: 'a' }, undefined],
    ['a subresource needs its object', { resource: pods, namespace: 'shop', subresource: 'eviction' }, undefined],
    ['outside the watched namespaces', { resource: pods, namespace: 'other' }, ['shop']],
    ['across all namespaces while only one is watched', { resource: pods }, ['shop']],
    ['cluster-wide while only one namespace is watched', { resource: guardrails }, ['shop']],
    ['another namespace object', { resource: namespaces, name: 'other' }, ['shop']],
  ];
  test.each(bad)('refused: %s', (_row, target, scope) => {
    expect(apiPath(target, scope).ok).toBe(false);
  });

  test('in single-namespace mode the own namespace and access reviews pass', () => {
    expect(apiPath({ resource: pods, namespace: 'shop' }, ['shop']).ok).toBe(true);
    expect(apiPath({ resource: namespaces, name: 'shop' }, ['shop']).ok).toBe(true);
    expect(apiPath({ resource: accessReviews }, ['shop']).ok).toBe(true);
  });

  test('whatever the names are, a path that is built stays inside the namespace that was named', () => {
    const hostile = fc.oneof(
      fc.string(),
      fc.constantFrom('..', '.', '%2e%2e', 'a/../b', 'a%2fb', 'kube-system', 'a#b', 'ä'),
    );
    fc.assert(
      fc.property(hostile, hostile, (namespace, name) => {
        const path = apiPath({ resource: pods, namespace, name, subresource: 'eviction' });
        if (!path.ok) return;
        expect(path.value).toBe(`/api/v1/namespaces/${namespace}/pods/${name}/eviction`);
        expect(new URL(path.value, 'http://x').pathname).toBe(path.value);
      }),
      { numRuns: 2_000 },
    );
  });
});
