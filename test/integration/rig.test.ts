import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { connectContext } from '../../tools/rig/external.ts';
import { KubectlError } from '../../tools/rig/kubectl.ts';
import { isAlive, readDaemons, type DaemonRecord } from '../../tools/rig/processes.ts';
import { startRig } from '../../tools/rig/rig.ts';
import { waitUntil } from '../../tools/rig/wait.ts';
import { promQuery, requireRig, rig, type RigHandle } from '../support/rig.ts';

interface PodStatus {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly status: {
    readonly phase: string;
    readonly conditions: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses: readonly {
      readonly restartCount: number;
      readonly state: { readonly waiting?: { readonly reason: string } };
      readonly lastState?: { readonly terminated?: { readonly exitCode: number; readonly reason: string } };
    }[];
  };
}

const pods = async (cluster: RigHandle, namespace: string): Promise<readonly PodStatus[]> => {
  const text = await cluster.kubectl(['get', 'pods', '-n', namespace, '-o', 'json']);
  return (JSON.parse(text) as { items: PodStatus[] }).items;
};

const firstPod = async (cluster: RigHandle, namespace: string): Promise<PodStatus> => {
  const [pod] = await pods(cluster, namespace);
  if (pod === undefined) throw new Error('no pod');
  return pod;
};

const isReady = (pod: PodStatus): boolean =>
  pod.status.conditions.some((c) => c.type === 'Ready' && c.status === 'True');

const deploy = async (cluster: RigHandle, namespace: string, replicas = 3): Promise<void> => {
  await cluster.kubectl(['create', 'deployment', 'web', '--image=web:1', `--replicas=${replicas}`, '-n', namespace]);
  await cluster.kubectl(['rollout', 'status', 'deployment/web', '-n', namespace, '--timeout=30s']);
};

const evict = (cluster: RigHandle, namespace: string, pod: string): Promise<string> =>
  cluster.kubectl(['create', '--raw', `/api/v1/namespaces/${namespace}/pods/${pod}/eviction`, '-f', '-'], {
    stdin: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod, namespace } },
  });

(rig() ? describe : describe.skip)('simulated pods', () => {
  let cluster: RigHandle;
  let namespace: string;

  beforeAll(() => {
    cluster = requireRig();
  });

  const fresh = async (replicas?: number): Promise<void> => {
    namespace = await cluster.freshNamespace('rig');
    await deploy(cluster, namespace, replicas);
  };

  test('become Ready within seconds', async () => {
    await fresh();
    expect((await pods(cluster, namespace)).map(isReady)).toEqual([true, true, true]);
  }, 60_000);

  test('an evicted pod goes and another takes its place', async () => {
    await fresh();
    const before = await pods(cluster, namespace);
    const victim = before[0]?.metadata.name ?? '';
    await evict(cluster, namespace, victim);
    await waitUntil('replacement', 20_000, async () => {
      const now = await pods(cluster, namespace);
      return now.length === 3 && now.every((pod) => pod.metadata.name !== victim && isReady(pod));
    });
  }, 60_000);

  test('a disruption budget without slack refuses an eviction with 429', async () => {
    await fresh(2);
    await cluster.kubectl(['create', 'pdb', 'web', '--selector=app=web', '--min-available=2', '-n', namespace]);
    await waitUntil('budget seen', 20_000, async () => {
      const path = 'jsonpath={.status.currentHealthy}';
      return (await cluster.kubectl(['get', 'pdb', 'web', '-n', namespace, '-o', path])) === '2';
    });
    const refused = evict(cluster, namespace, (await firstPod(cluster, namespace)).metadata.name);
    await expect(refused).rejects.toThrow(KubectlError);
    await expect(refused).rejects.toThrow(/disruption budget/);
  }, 60_000);

  test('crash-loop: one labelled pod of three restarts again and again; its replacement is healthy', async () => {
    await fresh();
    const { name } = (await firstPod(cluster, namespace)).metadata;
    await cluster.kubectl([
      ...['annotate', 'pod', name, '-n', namespace, 'aegis.test/crash-after=500ms', 'aegis.test/crash-backoff=1s'],
      'aegis.test/crash-reason=OOMKilled',
    ]);
    await cluster.kubectl(['label', 'pod', name, '-n', namespace, 'aegis.test/crash-loop=true']);
    const sick = async (): Promise<PodStatus | undefined> =>
      (await pods(cluster, namespace)).find((pod) => pod.metadata.name === name);
    await waitUntil('two restarts and a back-off', 30_000, async () => {
      const container = (await sick())?.status.containerStatuses[0];
      return (container?.restartCount ?? 0) >= 2 && container?.state.waiting?.reason === 'CrashLoopBackOff';
    });
    const pod = await sick();
    expect(pod?.status.containerStatuses[0]?.lastState?.terminated).toMatchObject({
      exitCode: 137,
      reason: 'OOMKilled',
    });
    expect(pod && isReady(pod)).toBe(false);

    await cluster.kubectl(['delete', 'pod', name, '-n', namespace]);
    await waitUntil(
      'three healthy pods',
      20_000,
      async () => (await pods(cluster, namespace)).filter(isReady).length === 3,
    );
    const restarts = (await pods(cluster, namespace)).map((each) => each.status.containerStatuses[0]?.restartCount);
    expect(restarts).toEqual([0, 0, 0]);
  }, 90_000);

  test('never-ready and back; image-error stays Pending', async () => {
    await fresh(1);
    const { name } = (await firstPod(cluster, namespace)).metadata;
    await cluster.kubectl(['label', 'pod', name, '-n', namespace, 'aegis.test/never-ready=true']);
    await cluster.kubectl(['wait', '--for=condition=Ready=false', `pod/${name}`, '-n', namespace, '--timeout=20s']);
    await cluster.kubectl(['label', 'pod', name, '-n', namespace, 'aegis.test/never-ready-']);
    await cluster.kubectl(['wait', '--for=condition=Ready', `pod/${name}`, '-n', namespace, '--timeout=20s']);

    const spec = ['run', 'bad', '--image=missing:1', '-n', namespace, '--labels=aegis.test/image-error=true'];
    await cluster.kubectl(spec);
    await waitUntil('image back-off', 20_000, async () => {
      const bad = (await pods(cluster, namespace)).find((pod) => pod.metadata.name === 'bad');
      return (
        bad?.status.containerStatuses[0]?.state.waiting?.reason === 'ImagePullBackOff' && bad.status.phase === 'Pending'
      );
    });
  }, 60_000);

  test('logs are there, and a service account has only its own rights', async () => {
    await fresh(1);
    const { name } = (await firstPod(cluster, namespace)).metadata;
    expect(await cluster.kubectl(['logs', name, '-n', namespace])).toContain('ready');
    cluster.writePodLog(['panic: out of coffee'], 'previous');
    expect(await cluster.kubectl(['logs', name, '-n', namespace, '--previous'])).toContain('coffee');
    cluster.resetPodLogs();
    expect(await cluster.kubectl(['logs', name, '-n', namespace, '--previous'])).toContain('cannot go on');
    const kubeconfig = await cluster.serviceAccountKubeconfig(namespace, 'default');
    const asAccount = cluster.kubectl(['get', 'pods', '-n', namespace, '--kubeconfig', kubeconfig]);
    await expect(asAccount).rejects.toThrow(/Forbidden/);
  }, 60_000);
});

(rig() ? describe : describe.skip)('metrics', () => {
  let cluster: RigHandle;
  let namespace: string;

  beforeAll(async () => {
    cluster = requireRig();
    namespace = await cluster.freshNamespace('metrics');
    await deploy(cluster, namespace, 2);
    await cluster.metrics.setWorkload(namespace, 'web', {
      requestsPerSecond: 100,
      wave: { amplitude: 0, periodSeconds: 60 },
    });
  }, 60_000);

  afterAll(() => cluster.metrics.removeWorkload(namespace, 'web'));

  const value = async (query: string): Promise<number | undefined> =>
    (await promQuery(cluster.prometheusUrl, query))[0]?.value;

  test('Prometheus has every pod under its own namespace and pod name', async () => {
    const names = (await pods(cluster, namespace)).map((pod) => pod.metadata.name).sort();
    await waitUntil('series', 20_000, async () => {
      const rows = await promQuery(
        cluster.prometheusUrl,
        `container_memory_working_set_bytes{namespace="${namespace}"}`,
      );
      return JSON.stringify(rows.map((row) => row.labels['pod']).sort()) === JSON.stringify(names);
    });
    await waitUntil('a rate near 100/s', 20_000, async () => {
      const rate = (await value(`sum(rate(http_requests_total{namespace="${namespace}"}[5s]))`)) ?? 0;
      return rate > 85 && rate < 115;
    });
  }, 60_000);

  test('a leak shows in one pod only and ends with it', async () => {
    const { name } = (await firstPod(cluster, namespace)).metadata;
    await cluster.metrics.addFault(namespace, 'web', { kind: 'leak', bytesPerSecond: 20e6, pods: [name] });
    const leaking = `count(container_memory_working_set_bytes{namespace="${namespace}"} > 130e6)`;
    await waitUntil('one pod above 130 MB', 30_000, async () => (await value(leaking)) === 1);
    await evict(cluster, namespace, name);
    await waitUntil('none above 130 MB', 30_000, async () => (await value(leaking)) === undefined);
    await cluster.metrics.clearFaults(namespace, 'web');
  }, 90_000);

  test('an overload is relieved by more replicas', async () => {
    const perPod = `max(rate(container_cpu_usage_seconds_total{namespace="${namespace}"}[3s]))`;
    await cluster.metrics.addFault(namespace, 'web', { kind: 'overload', factor: 3 });
    await waitUntil('more than 0.6 cores a pod', 30_000, async () => ((await value(perPod)) ?? 0) > 0.6);
    await cluster.kubectl(['scale', 'deployment/web', '--replicas=6', '-n', namespace]);
    await waitUntil('less than 0.4 cores a pod', 30_000, async () => ((await value(perPod)) ?? 1) < 0.4);
    await cluster.metrics.clearFaults(namespace, 'web');
  }, 90_000);

  test('an outage and a stop of Prometheus both end well', async () => {
    await cluster.metrics.setOutage(true);
    await waitUntil('target down', 20_000, async () => (await value('up{job="pods"}')) === 0);
    await cluster.metrics.setOutage(false);
    await waitUntil('target up', 20_000, async () => (await value('up{job="pods"}')) === 1);
    await cluster.prometheus.stop();
    await expect(value('up')).rejects.toThrow();
    await cluster.prometheus.start();
    await waitUntil('target up again', 20_000, async () => (await value('up{job="pods"}')) === 1);
  }, 90_000);
});

(rig() ? describe : describe.skip)("a cluster of the user's kubeconfig", () => {
  const original = process.env['KUBECONFIG'];

  beforeAll(() => {
    process.env['KUBECONFIG'] = requireRig().kubeconfigPath; // the rig plays somebody else's cluster
  });

  afterAll(() => {
    if (original === undefined) delete process.env['KUBECONFIG'];
    else process.env['KUBECONFIG'] = original;
  });

  test('is used as it is, and only the copied credentials go', async () => {
    const cluster = await connectContext({ context: 'aegis-rig', prometheusUrl: requireRig().prometheusUrl });
    expect(cluster.apiServerUrl).toBe(requireRig().apiServerUrl);
    expect(await cluster.kubectl(['get', 'nodes', '-o', 'name'])).toContain('node/node-001');
    await cluster.stop();
    expect(existsSync(cluster.stateDir)).toBe(false);
    expect(await requireRig().kubectl(['get', '--raw', '/readyz'])).toBe('ok');
  }, 30_000);

  test.each([
    ['a context that does not exist', 'nowhere', 'http://127.0.0.1:9', /nowhere/],
    ['no Prometheus', 'aegis-rig', '', /PROMETHEUS_URL/],
  ])('%s is an error', async (_, context, prometheusUrl, message) => {
    await expect(connectContext({ context, prometheusUrl })).rejects.toThrow(message);
  });
});

(rig() ? describe : describe.skip)('a second rig beside the first', () => {
  const deadSoon = (daemons: readonly DaemonRecord[], what: string): Promise<void> =>
    waitUntil(what, 20_000, () => daemons.every((daemon) => !isAlive(daemon)));

  test('is another cluster, and stop leaves no process and no file', async () => {
    const second = await startRig({ nodes: 1, log: () => undefined });
    const first = requireRig();
    expect(second.apiServerUrl).not.toBe(first.apiServerUrl);
    const namespace = await second.freshNamespace('second');
    await deploy(second, namespace, 1);
    await expect(first.kubectl(['get', 'namespace', namespace])).rejects.toThrow(/NotFound/);
    const daemons = readDaemons(second.stateDir);
    expect(daemons).toHaveLength(7);
    expect(daemons.every(isAlive)).toBe(true);
    await second.stop();
    expect(daemons.filter(isAlive)).toEqual([]);
    expect(existsSync(second.stateDir)).toBe(false);
    await second.stop();
    expect(readDaemons(first.stateDir).every(isAlive)).toBe(true);
  }, 90_000);

  test('goes with its owner, even when that is killed', async () => {
    const owner = spawn(process.execPath, ['tools/rig/main.ts', 'up', '--nodes', '1'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let said = '';
    owner.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await waitUntil('rig up', 60_000, () => said.includes('Ctrl-C'));
    const stateDir = /KUBECONFIG=(.*)\/kubeconfig/.exec(said)?.[1] ?? '';
    const daemons = readDaemons(stateDir);
    expect(daemons).toHaveLength(7);
    owner.kill('SIGKILL');
    await deadSoon(daemons, 'no daemon left');
    await waitUntil('no folder left', 10_000, () => !existsSync(stateDir));
  }, 90_000);
});
