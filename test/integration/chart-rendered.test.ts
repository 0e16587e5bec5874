import { describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config/load.ts';
import { helmPath, ownRules, render, rightsOf, type Rendered } from '../support/helm.ts';

type Json = Record<string, unknown>;

const path = await helmPath();
const withHelm = path === undefined ? describe.skip : describe;
const rendered = (values: readonly string[] = []): Promise<Rendered[]> => render(path ?? '', values);

const ofKind = (objects: readonly Rendered[], kind: string): Rendered[] => objects.filter((one) => one.kind === kind);
const oneOf = (objects: readonly Rendered[], kind: string): Rendered => {
  const [found] = ofKind(objects, kind);
  if (found === undefined) throw new Error(`no ${kind} was rendered`);
  return found;
};

interface Container {
  readonly image: string;
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly securityContext: Json;
  readonly resources: { readonly requests: Json; readonly limits: Json };
  readonly startupProbe: Json;
  readonly livenessProbe: Json;
  readonly readinessProbe: Json;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}
interface PodSpec {
  readonly serviceAccountName: string;
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: Json;
  readonly containers: readonly [Container];
  readonly volumes: readonly Json[];
  readonly topologySpreadConstraints?: readonly Json[];
}
const podSpec = (objects: readonly Rendered[]): PodSpec =>
  (oneOf(objects, 'Deployment')['spec'] as { template: { spec: PodSpec } }).template.spec;
const settings = (objects: readonly Rendered[]): Record<string, string> => oneOf(objects, 'ConfigMap')['data'] as never;

const READS = [
  'get /pods',
  'get apps/deployments',
  'list /events',
  'list policy/poddisruptionbudgets',
  'watch autoscaling/horizontalpodautoscalers',
];

withHelm('the rendered roles', () => {
  test('[S1] hold no wildcard and nothing that would open the cluster', async () => {
    for (const values of [[], ['watchNamespaces={shop}'], ['actions.scaleUp.raiseAutoscalerMinimum=true']]) {
      const rights = rightsOf(ownRules(await rendered(values)));
      expect(rights.length).toBeGreaterThan(20);
      const forbidden =
        /\*|\/secrets|pods\/(attach|exec|portforward)|escalate|bind|impersonate|(create|delete|deletecollection|update|patch) \/pods$|(get|create|update|patch|delete) \/configmaps|serviceaccounts|approve/;
      expect(rights.filter((right) => forbidden.test(right))).toEqual([]);
      expect(rights).toEqual(expect.arrayContaining(READS));
    }
  });

  test('[S1] no role is cluster-admin, and nothing is bound to a role from elsewhere', async () => {
    const objects = await rendered();
    const roles = new Set(
      [...ofKind(objects, 'Role'), ...ofKind(objects, 'ClusterRole')].map((one) => one.metadata.name),
    );
    const bindings = [...ofKind(objects, 'RoleBinding'), ...ofKind(objects, 'ClusterRoleBinding')];
    expect(bindings.length).toBeGreaterThan(0);
    for (const binding of bindings) expect(roles).toContain((binding['roleRef'] as { name: string }).name);
  });

  /** What each switch grants: exactly this and nothing else. */
  const SWITCHES: readonly [string, readonly string[]][] = [
    [
      'actions.restartPod.enabled',
      [
        'create /pods/eviction',
        'patch apps/daemonsets',
        'patch apps/deployments',
        'patch apps/statefulsets',
        'patch argoproj.io/rollouts',
      ],
    ],
    ['podLogs.enabled', ['get /pods/log']],
    [
      'evidence.network',
      ['list /services', 'list discovery.k8s.io/endpointslices', 'list networking.k8s.io/networkpolicies'],
    ],
    ['evidence.credentials', ['list cert-manager.io/certificates', 'list external-secrets.io/externalsecrets']],
  ];
  const SCALING = [
    'get apps/deployments/scale',
    'get apps/statefulsets/scale',
    'get argoproj.io/rollouts/scale',
    'update apps/deployments/scale',
    'update apps/statefulsets/scale',
    'update argoproj.io/rollouts/scale',
  ];

  test.each(SWITCHES)('[S2] %s=false takes away exactly its own rights', async (name, expected) => {
    const all = rightsOf(ownRules(await rendered()));
    const without = new Set(rightsOf(ownRules(await rendered([`${name}=false`]))));
    expect(all.filter((right) => !without.has(right))).toEqual(expected);
  });

  test('[S1] ConfigMaps are read only where that is asked for, one by one', async () => {
    const all = new Set(rightsOf(ownRules(await rendered())));
    const more = rightsOf(ownRules(await rendered(['evidence.configMaps=true'])));
    expect(more.filter((right) => !all.has(right))).toEqual(['get /configmaps']);
  });

  const OWN = (kind: string): string[] => ['get', 'list', 'create', 'delete'].map((verb) => `${verb} ${kind}`);
  test.each([
    [
      'envoyGateway',
      [
        ...OWN('gateway.envoyproxy.io/backendtrafficpolicies'),
        'get gateway.networking.k8s.io/httproutes',
        'list gateway.networking.k8s.io/httproutes',
        'get /services',
      ],
    ],
    ['istio', OWN('networking.istio.io/envoyfilters')],
    [
      'ingressNginx',
      [...['get', 'list', 'patch'].map((verb) => `${verb} networking.k8s.io/ingresses`), 'get /services'],
    ],
  ])('[S2] each provider of throttle_api brings its own rights and no others: %s', async (provider, expected) => {
    const all = new Set(rightsOf(ownRules(await rendered())));
    const more = rightsOf(ownRules(await rendered([`actions.throttleApi.${provider}=true`])));
    expect(more.filter((right) => !all.has(right)).sort()).toEqual([...expected].sort());
  });

  test('[S1] commands in pods are allowed only by a Role in each namespace that was named', async () => {
    const plain = JSON.stringify(await rendered());
    const objects = await rendered(['actions.clearCache.execNamespaces={shop}']);
    const roles = objects.filter((object) => JSON.stringify(object).includes('pods/exec'));
    expect(plain).not.toContain('pods/exec');
    expect(roles).toMatchObject([{ kind: 'Role', metadata: { namespace: 'shop' } }]);
  });

  test('[S2] scaling rights go with the last of the two switches', async () => {
    const all = rightsOf(ownRules(await rendered()));
    const up = rightsOf(ownRules(await rendered(['actions.scaleDown.enabled=false'])));
    const none = new Set(
      rightsOf(ownRules(await rendered(['actions.scaleUp.enabled=false', 'actions.scaleDown.enabled=false']))),
    );
    expect(up).toEqual(all);
    expect(all.filter((right) => !none.has(right))).toEqual(SCALING);
  });

  test('[S2] a dry run holds no right to change a workload, and enables nothing', async () => {
    const objects = await rendered(['dryRun=true']);
    const writes = rightsOf(ownRules(objects)).filter((right) => !/^(get|list|watch) /.test(right));
    expect(writes).toEqual([
      'create authorization.k8s.io/selfsubjectaccessreviews',
      'create coordination.k8s.io/leases',
      'create events.k8s.io/events',
      'create healing.aegis.dev/aegishealingactions',
      'delete healing.aegis.dev/aegishealingactions',
      'patch events.k8s.io/events',
      'patch healing.aegis.dev/aegisguardrails/status',
      'patch healing.aegis.dev/aegishealingactions',
      'patch healing.aegis.dev/aegishealingactions/status',
      'patch healing.aegis.dev/aegishealingpolicies/status',
      'update coordination.k8s.io/leases',
    ]);
    expect(settings(objects)).toMatchObject({ ENABLED_ACTIONS: 'none', DRY_RUN: 'true' });
  });

  test('[S3] with watched namespaces there are Roles only, one in each', async () => {
    const objects = await rendered(['watchNamespaces={shop,bank}']);
    expect(ofKind(objects, 'ClusterRole')).toEqual([]);
    expect(ofKind(objects, 'ClusterRoleBinding')).toEqual([]);
    const places = ofKind(objects, 'Role').map((role) => role.metadata.namespace);
    expect([...new Set(places)].sort()).toEqual(['aegis-system', 'bank', 'shop']);
    const clusterWide = /nodes|guardrails|accessreviews|(list|watch) \/namespaces/;
    expect(rightsOf(ownRules(objects)).filter((right) => clusterWide.test(right))).toEqual([]);
    expect(settings(objects)['WATCH_NAMESPACES']).toBe('shop,bank');
    const map = ofKind(objects, 'ConfigMap').find(({ metadata }) => metadata.name === 'aegis-guardrail');
    // An upgrade puts back what was rendered: a kill switch that was set must not be among that.
    expect(map).toBeDefined();
    expect(map?.['data']).toBeUndefined();
    expect(settings(objects)['GUARDRAIL_CONFIG_MAP']).toBe('aegis-guardrail');
  });

  test('[S5] the tenant writes policies, never guardrails nor actions', async () => {
    const roles = ofKind(await rendered(), 'ClusterRole');
    const tenant = roles.find((role) => role.metadata.name === 'aegis-tenant');
    const writes = rightsOf(tenant?.['rules'] as never).filter((right) => !/^(get|list|watch) /.test(right));
    expect(writes).toEqual(
      ['create', 'delete', 'patch', 'update'].map((verb) => `${verb} healing.aegis.dev/aegishealingpolicies`),
    );
  });
});

withHelm('the rendered pod', () => {
  test('[S23] fulfils the restricted standard as UID 1001', async () => {
    const { securityContext, containers } = podSpec(await rendered());
    expect(securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 1001,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(containers[0].securityContext).toEqual({
      allowPrivilegeEscalation: false,
      privileged: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(JSON.stringify(podSpec(await rendered()))).not.toMatch(/hostNetwork|hostPID|hostIPC|hostPath|hostPort/);
  });

  test('[S24] a null UID leaves the choice to the platform', async () => {
    expect(podSpec(await rendered(['runAsUser=null'])).securityContext).not.toHaveProperty('runAsUser');
  });

  test('[S25] has requests, limits, probes, and an image that says what it is', async () => {
    const [container] = podSpec(await rendered()).containers;
    expect(Object.keys(container.resources.requests)).toEqual(expect.arrayContaining(['cpu', 'memory']));
    expect(container.resources.limits).toMatchObject({ memory: '512Mi' });
    expect(container.livenessProbe).toMatchObject({ httpGet: { path: '/ping', port: 'http' } });
    expect(container.readinessProbe).toMatchObject({ httpGet: { path: '/health', port: 'http' } });
    expect(container.startupProbe).toMatchObject({ httpGet: { path: '/ping' } });
    expect(container.image).toBe('aegis:0.1.0');
    await expect(rendered(['image.tag=latest'])).rejects.toThrow(/latest|image/);
    const pinned = `sha256:${'a'.repeat(64)}`;
    expect(podSpec(await rendered([`image.digest=${pinned}`])).containers[0].image).toBe(`aegis@${pinned}`);
  });

  test('[S25] two replicas need a database, then they are spread and have a disruption budget', async () => {
    await expect(rendered(['replicas=2'])).rejects.toThrow('replicas above 1 need database.urlSecret.name');
    const objects = await rendered(['replicas=2', 'database.urlSecret.name=db']);
    expect(podSpec(objects).topologySpreadConstraints).toHaveLength(1);
    expect(oneOf(objects, 'PodDisruptionBudget')['spec']).toMatchObject({ maxUnavailable: 1 });
    expect(ofKind(await rendered(), 'PodDisruptionBudget')).toEqual([]);
  });

  test('a database: its address and CA are files of one folder, its port is open, and no volume is claimed', async () => {
    const objects = await rendered(['database.urlSecret.name=db', 'database.caSecret.name=ca', 'database.port=6432']);
    const volume = podSpec(objects).volumes.find(({ name }) => name === 'database');
    expect(volume).toMatchObject({
      projected: {
        sources: [
          { secret: { name: 'db', items: [{ key: 'url', path: 'url' }] } },
          { secret: { name: 'ca', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        ],
      },
    });
    expect(settings(objects)['DATABASE_URL_FILE']).toBe('/etc/aegis/database/url');
    expect(JSON.stringify(oneOf(objects, 'NetworkPolicy')['spec'])).toContain('"port":6432');
    expect(ofKind(objects, 'PersistentVolumeClaim')).toEqual([]);
    expect(JSON.stringify(oneOf(await rendered(), 'NetworkPolicy')['spec'])).not.toContain('"port":5432');
  });

  test('[S26] the token is mounted by this pod alone', async () => {
    const objects = await rendered();
    expect(oneOf(objects, 'ServiceAccount')['automountServiceAccountToken']).toBe(false);
    expect(podSpec(objects)).toMatchObject({ serviceAccountName: 'aegis', automountServiceAccountToken: true });
  });

  test('[S28] secrets are mounted as read-only files; none is in the environment or a ConfigMap', async () => {
    const objects = await rendered([
      'prometheus.url=https://prometheus:9090',
      'prometheus.bearerTokenSecret.name=prom',
      'prometheus.caSecret.name=prom',
      'policyEngine.url=https://engine',
      'policyEngine.tokenSecret.name=engine',
      'sinks[0].name=chat',
      'sinks[0].type=Slack',
      'sinks[0].urlFile=/etc/aegis/sinks/slack',
      'sinkSecrets.name=sinks',
      'database.urlSecret.name=db',
    ]);
    const { containers, volumes } = podSpec(objects);
    expect(containers[0].env.map(({ name }) => name)).toEqual(['POD_NAME', 'POD_NAMESPACE']);
    expect(JSON.stringify(containers[0])).not.toContain('secretKeyRef');
    const secretVolumes = volumes
      .filter((volume) => JSON.stringify(volume).includes('secret'))
      .map((volume) => volume['name']);
    expect(secretVolumes).toEqual(['api-keys', 'prometheus', 'policy-engine', 'sinks', 'database']);
    for (const mount of containers[0].volumeMounts) {
      if (secretVolumes.includes(mount.name)) expect(mount.readOnly).toBe(true);
    }
    for (const map of ofKind(objects, 'ConfigMap')) {
      expect(
        Object.keys(map['data'] as Json).filter((key) => /(API_KEY|TOKEN|PASSWORD|SECRET|DATABASE_URL)$/.test(key)),
      ).toEqual([]);
    }
    await expect(rendered(['config.API_KEY=canary'])).rejects.toThrow('config.API_KEY is a credential');
  });

  test('the environment is a configuration that Aegis accepts', async () => {
    const objects = await rendered([
      'sinks[0].name=oncall',
      'sinks[0].type=Alertmanager',
      'sinks[0].url=http://alertmanager.monitoring:9093',
      'config.LOG_LEVEL=debug',
    ]);
    const keys = (oneOf(objects, 'Secret')['data'] as Record<string, string>)['keys.json'] ?? '';
    const files: Record<string, string> = {
      '/etc/aegis/api-keys/keys.json': Buffer.from(keys, 'base64').toString('utf8'),
      '/etc/aegis/config/sinks.json':
        (ofKind(objects, 'ConfigMap')[1]?.['data'] as Record<string, string>)['sinks.json'] ?? '',
    };
    const env = {
      ...settings(objects),
      KUBERNETES_SERVICE_HOST: '10.0.0.1',
      POD_NAMESPACE: 'aegis-system',
      POD_NAME: 'aegis-0',
    };
    const loaded = loadConfig({ env, argv: [], readFile: (name) => files[name] });
    expect(loaded.ok ? [] : loaded.error).toEqual([]);
    expect(loaded).toMatchObject({
      value: {
        http: { host: '0.0.0.0', port: 8000 },
        store: { kind: 'sqlite', dataDir: '/data' },
        // A cache is cleared by a request to the pod, which needs no right; commands have a switch of their own.
        enabledActions: ['restart_pod', 'scale_up', 'scale_down', 'clear_cache'],
        logLevel: 'debug',
        sinks: [{ name: 'oncall' }],
        cluster: { lease: { name: 'aegis', namespace: 'aegis-system' } },
      },
    });
  });

  test('[S27] traffic is closed but for what is listed', async () => {
    const objects = await rendered(['prometheus.url=http://prometheus:9090', 'loki.url=https://loki']);
    const spec = oneOf(objects, 'NetworkPolicy')['spec'] as {
      policyTypes: string[];
      ingress: Json[];
      egress: { ports: { port: number }[] }[];
    };
    expect(spec.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(spec.egress.map(({ ports }) => ports.map(({ port }) => port))).toEqual([
      [53, 53],
      [443, 6443],
      [9090, 443],
    ]);
    expect(spec.ingress).toEqual([{ from: [{ podSelector: {} }], ports: [{ protocol: 'TCP', port: 'http' }] }]);
  });

  test('[I21] Aegis marks itself as never to be touched', async () => {
    expect(oneOf(await rendered(), 'Deployment').metadata.labels).toMatchObject({
      'healing.aegis.dev/exclude': 'true',
    });
  });

  test('the kinds are templates that stay when the release goes', async () => {
    const crds = ofKind(await rendered(), 'CustomResourceDefinition');
    expect(crds).toHaveLength(3);
    for (const crd of crds) {
      expect(crd.metadata).toMatchObject({ annotations: { 'helm.sh/resource-policy': 'keep' } });
    }
    expect(ofKind(await rendered(['crds.install=false']), 'CustomResourceDefinition')).toEqual([]);
  });

  test.each([
    ['no Prometheus', 'prometheus.url='],
    ['a misspelt value', 'watchNamespace={shop}'],
    ['an unknown action', 'actions.rebootNode.enabled=true'],
    ['a password in an address', 'prometheus.url=http://u:p@prometheus'],
    ['a namespace in capitals', 'watchNamespaces={Shop}'],
    ['no replica', 'replicas=0'],
  ])('%s stops the installation', async (_, value) => {
    await expect(rendered([value])).rejects.toThrow(/values don't meet|prometheus.url is needed/);
  });
});
