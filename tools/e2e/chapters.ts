import type { FaultName } from './record.ts';
import { pause, type Stage } from './stage.ts';
import { LEAKING, NAMESPACE, OVERLOADED, RELEASED } from './workloads.ts';

/** From about 60 MB to the limit of 201 MB in two minutes. */
const LEAK_BYTES_PER_SECOND = 1.2e6;
const LEAK_MS = 180_000;

/** 130 % of what the three pods can do. */
const PEAK_PER_SECOND = 66;
const RAMP_MS = 60_000;
const PEAK_MS = 120_000;
const RETURN_LIMIT_MS = 300_000;

/** Share of requests that the new release answers with 500. */
const BROKEN_PERCENT = 30;
const RELEASE_MS = 150_000;
/** Someone reads the alert, and Aegis has time for something worse. */
const READING_MS = 30_000;
/** How long the cure is watched. */
const AFTER_MS = 60_000;

/** The three faults, far enough apart that no two of them are one storm. */
export const CHAPTERS: Readonly<Record<FaultName, (stage: Stage) => Promise<void>>> = {
  leak: playLeak,
  overload: playOverload,
  release: playRelease,
};

/** One pod of three leaks. Meanwhile a neighbour gets a good release, and another is scaled by hand. */
async function playLeak(stage: Stage): Promise<void> {
  const { name } = LEAKING;
  const [pod] = stage.watch.live(name);
  if (pod === undefined) throw new Error(`${name} has no pod`);
  const fromMs = Date.now();
  const reply = await fetch(`http://${pod.ip}:8080/leak?bytesPerSecond=${LEAK_BYTES_PER_SECOND}`, { method: 'POST' });
  if (!reply.ok) throw new Error(`${pod.name} does not leak: ${reply.status}`);
  stage.say(`${name}: ${pod.name} leaks`);
  const { kubectl } = stage.cluster;
  await pause(45_000);
  await kubectl(['set', 'env', 'deployment/mail', '-n', NAMESPACE, 'NOTES=second-release']);
  await pause(30_000);
  await kubectl(['scale', 'deployment/images', '-n', NAMESPACE, '--replicas=3']);
  await pause(Math.max(0, fromMs + LEAK_MS - Date.now()));
  stage.chapters.push({ fault: 'leak', workload: name, fromMs, toMs: Date.now(), podUid: pod.uid });
  stage.leakPeakShare = await peakShare(stage, pod.name, (Date.now() - fromMs) / 1000);
}

/** How near to its limit the pod came, by cAdvisor. */
async function peakShare(stage: Stage, pod: string, seconds: number): Promise<number | undefined> {
  const selector = `{namespace="${NAMESPACE}",pod="${pod}",container="app"}`;
  const range = `[${Math.ceil(seconds)}s]`;
  const query =
    `max(max_over_time(container_memory_working_set_bytes${selector}${range})) / ` +
    `max(max_over_time(container_spec_memory_limit_bytes${selector}${range}))`;
  const url = `${stage.cluster.prometheusUrl}/api/v1/query?${new URLSearchParams({ query }).toString()}`;
  const body = (await (await fetch(url)).json()) as {
    readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] };
  };
  const [first] = body.data.result;
  return first === undefined ? undefined : Number(first.value[1]);
}

/** The traffic of one deployment rises to more than its pods can serve, stays, and falls again. */
async function playOverload(stage: Stage): Promise<void> {
  const { name, requestsPerSecond, replicas } = OVERLOADED;
  const fromMs = Date.now();
  stage.say(`${name}: traffic rises from ${requestsPerSecond} to ${PEAK_PER_SECOND} requests a second`);
  await stage.load.ramp(name, requestsPerSecond, PEAK_PER_SECOND, RAMP_MS);
  await pause(PEAK_MS);
  await stage.load.ramp(name, PEAK_PER_SECOND, requestsPerSecond, RAMP_MS / 2);
  if (stage.withAegis) {
    const isBack = (): boolean => stage.watch.latest(name)?.desired === replicas;
    await stage.until(`${name} back at ${replicas} replicas`, RETURN_LIMIT_MS, isBack);
  }
  await pause(20_000);
  stage.chapters.push({ fault: 'overload', workload: name, fromMs, toMs: Date.now() });
}

/** A new release answers a share of its requests with 500. Who is alerted does what the alert says. */
async function playRelease(stage: Stage): Promise<void> {
  const { name } = RELEASED;
  const { kubectl } = stage.cluster;
  const fromMs = Date.now();
  await kubectl(['set', 'env', `deployment/${name}`, '-n', NAMESPACE, `BROKEN_PERCENT=${BROKEN_PERCENT}`]);
  stage.say(`${name}: a new release that answers 500 to ${BROKEN_PERCENT} % of the requests`);
  const advice = (): string | undefined =>
    stage.alerts.all().find((alert) => alert.workload === name && alert.advice.includes('rollout undo'))?.advice;
  const isTold = await stage.until('an alert that names a way back', RELEASE_MS, () => advice() !== undefined);
  if (isTold) {
    await pause(READING_MS);
    await followAdvice(stage, advice() ?? '');
  }
  await pause(AFTER_MS);
  stage.chapters.push({ fault: 'release', workload: name, fromMs, toMs: Date.now() });
}

/** Runs the alert's command to the letter. */
async function followAdvice(stage: Stage, advice: string): Promise<void> {
  const command = /kubectl (-n \S+ rollout undo [^\s;,.]+( --to-revision=\d+)?)/.exec(advice)?.[1];
  if (command === undefined) throw new Error(`no command in the advice: ${advice}`);
  stage.rollback = { command: `kubectl ${command}`, atMs: Date.now() };
  stage.say(`following the alert: kubectl ${command}`);
  await stage.cluster.kubectl(command.split(' '));
}
