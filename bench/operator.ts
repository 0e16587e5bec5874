import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { median } from '../src/detection/statistics/median.ts';
import { startOperator, type OperatorProcess } from '../tools/demo/operator-process.ts';
import { freePorts } from '../tools/rig/ports.ts';
import { startRig, type Rig } from '../tools/rig/rig.ts';
import { ownObjects, prepareStage, type StageSize } from './operator-stage.ts';
import type { PollCost } from './poll-cost.ts';
import { processFigures } from './process-figures.ts';
import type { Bench, Figure, Report } from './registry.ts';
import { allocatorSettings, buildRelease, imageOptions } from './release.ts';

const SIZE: StageSize = { deployments: 8, podsEach: 5 };
const SCRAPE_SECONDS = 5;
/** 20 polls of learning and what follows from it, the compiler's work, the first relists. */
const WARM_UP_MS = 150_000;
const MEASURE_MS = 60_000;
const LOOK_EVERY_MS = 5_000;
const STARTS = 3;
const START_LIMIT_MS = 120_000;

interface Start {
  readonly pingMs: number;
  readonly pollMs: number;
  readonly cpuMs: number;
}

interface Idle {
  readonly rssMiB: number;
  readonly cpuMsPerSecond: number;
  readonly writes: number;
}

async function run(): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'aegis-bench-'));
  try {
    const command = [...imageOptions(), await buildRelease(join(folder, 'app'))];
    const { starts, idle } = await onRig(command);
    return report(starts, idle, await pollCostApart(1_000, 10));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function onRig(command: readonly string[]): Promise<{ readonly starts: readonly Start[]; readonly idle: Idle }> {
  const rig = await startRig({ nodes: 3, scrapeIntervalSeconds: SCRAPE_SECONDS });
  try {
    await prepareStage(rig, SIZE);
    const starts: Start[] = [];
    for (let i = 0; i < STARTS; i++) starts.push(await coldStart(rig, command));
    return { starts, idle: await withOperator(rig, command, (operator) => watchIdle(rig, operator)) };
  } finally {
    await rig.stop();
  }
}

function report(starts: readonly Start[], idle: Idle, poll: PollCost): Report {
  const middle = (of: (start: Start) => number): number => median(Float64Array.from(starts.map(of)));
  const pods = `${SIZE.deployments * SIZE.podsEach} pods, polls every 5 s`;
  const figures: Figure[] = [
    { name: 'resident memory, idle', value: idle.rssMiB, unit: 'MiB', ...most(120), note: pods },
    { name: 'processor time, idle', value: idle.cpuMsPerSecond, unit: 'ms CPU/s', ...most(5), note: pods },
    { name: 'writes of status, actions and Events in a minute', value: idle.writes, unit: '', ...most(0) },
    { name: 'cold start to the first answer', value: middle(({ pingMs }) => pingMs), unit: 'ms' },
    { name: 'cold start to the first poll', value: middle(({ pollMs }) => pollMs), unit: 'ms' },
    { name: 'processor time of a start', value: middle(({ cpuMs }) => cpuMs), unit: 'ms CPU' },
    {
      ...{ name: '1,000 pods x 6 metrics polled and scored', value: poll.cpuMs, unit: 'ms CPU', ...most(1000) },
      note: `${poll.scored} scores of ${poll.series} series, worst poll ${poll.worstMs.toFixed(0)} ms`,
    },
    { name: 'resident memory with them, without a cluster', value: poll.rssMiB, unit: 'MiB' },
  ];
  return { set: 'operator', figures, lines: ['healers in Go, measured elsewhere: 42-58 MiB, 1-28 ms CPU/s'] };
}

const most = (value: number): Pick<Figure, 'target'> => ({ target: { kind: 'max', value } });

/** In a process of its own, with the image's options, so that its memory is its own. */
async function pollCostApart(pods: number, podsEach: number): Promise<PollCost> {
  const program = join(import.meta.dirname, 'poll-cost.ts');
  const child = fork(program, [String(pods), String(podsEach)], { execArgv: [...imageOptions()] });
  const [cost] = (await once(child, 'message')) as [PollCost];
  child.disconnect();
  return cost;
}

async function withOperator<T>(
  rig: Rig,
  command: readonly string[],
  work: (operator: OperatorProcess) => Promise<T>,
): Promise<T> {
  const [port = 0] = await freePorts(1);
  const { kubeconfigPath, prometheusUrl, stateDir: rigStateDir } = rig;
  const stateDir = mkdtempSync(join(tmpdir(), 'aegis-bench-state-'));
  const env = { ...allocatorSettings(), PROMETHEUS_SCRAPE_INTERVAL_SECONDS: String(SCRAPE_SECONDS) };
  const operator = startOperator({ kubeconfigPath, prometheusUrl, stateDir, port, command, env, rigStateDir });
  try {
    await operator.ready();
    return await work(operator);
  } finally {
    await operator.stop();
    rmSync(stateDir, { recursive: true, force: true });
  }
}

/** From the start of the process to its first answer and to its first poll; files may well be in the system's cache. */
async function coldStart(rig: Rig, command: readonly string[]): Promise<Start> {
  const startedMs = performance.now();
  return withOperator(rig, command, async (operator) => {
    const pingMs = performance.now() - startedMs;
    while (!(await hasPolled(operator))) {
      if (performance.now() - startedMs > START_LIMIT_MS) throw new Error('the operator did not poll');
      await wait(20);
    }
    return { pingMs, pollMs: performance.now() - startedMs, cpuMs: processFigures(operator.pid).cpuMs };
  });
}

async function hasPolled({ url }: OperatorProcess): Promise<boolean> {
  const page = await fetch(`${url}/metrics`).then((reply) => reply.text());
  return /^aegis_polls_total\{.*\} [1-9]/m.test(page);
}

/** The median of the memory seen, the mean of the processor time, and what was written although nothing changed. */
async function watchIdle(rig: Rig, operator: OperatorProcess): Promise<Idle> {
  await wait(WARM_UP_MS);
  const objects = await ownObjects(rig);
  const before = processFigures(operator.pid);
  const startedMs = performance.now();
  const memory: number[] = [];
  while (performance.now() - startedMs < MEASURE_MS) {
    await wait(LOOK_EVERY_MS);
    memory.push(processFigures(operator.pid).rssMiB);
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const after = processFigures(operator.pid);
  const written = [...(await ownObjects(rig))].filter(([name, version]) => objects.get(name) !== version);
  return {
    rssMiB: median(Float64Array.from(memory)),
    cpuMsPerSecond: (after.cpuMs - before.cpuMs) / seconds,
    writes: written.length,
  };
}

/** The operator in the registry of benchmarks. */
export const operatorBench: Bench = {
  name: 'operator',
  about: 'the release on a rig with 40 pods: memory, processor time, writes, cold start; a poll of 1,000 pods',
  run,
};
