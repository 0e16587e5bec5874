import { createEngine } from '../src/detection/engine.ts';
import { stepIncident } from '../src/detection/incident-step.ts';
import type { IncidentHistory } from '../src/detection/incident-step.ts';
import { SimulatedWorkload } from '../test/support/simulated-workload.ts';
import { writeCases } from './sets/case-rows.ts';
import type { Bench, BenchOptions, Figure, Report } from './registry.ts';

const TRIGGER = { breaches: 3, polls: 5, closeAfter: 3 };
const DAY_MS = 86_400_000;

interface Tally {
  podDays: number;
  opened: number;
  breaches: number;
  polls: number;
  readonly by: Map<string, number>;
}

/** Ordinary, noisy life: daily load, bursts, hourly jobs, warm-up, rollouts, lost scrapes and outages; no fault at all. */
function live(tally: Tally, seed: number, intervalMs: number, days: number): void {
  const engine = createEngine({ seed: 1 });
  const pods = 2 + (seed % 4);
  const workload = new SimulatedWorkload({ seed, pods, intervalMs });
  const polls = Math.round((days * DAY_MS) / intervalMs);
  let history: IncidentHistory | undefined;
  for (let i = 0; i < polls; i++) {
    workload.blackout = i % Math.ceil(polls / 3) > polls / 3 - 20;
    if (i % Math.ceil(polls / 2) === Math.ceil(polls / 2) - 1) workload.rollOut();
    const verdict = engine.judge(workload.poll());
    const step = stepIncident(history, verdict, TRIGGER, { policyUid: 'p', intervalMs, anomalyThreshold: 0.85 });
    history = step.history;
    if (verdict.state === 'unhealthy') tally.breaches++;
    if (step.transition !== 'opened') continue;
    tally.opened++;
    const cause = step.incident?.metrics.join('+') ?? '';
    tally.by.set(cause, (tally.by.get(cause) ?? 0) + 1);
  }
  tally.polls += polls;
  tally.podDays += days * pods;
}

function tallyOf(podDays: number, intervalMs: number, firstSeed: number): Tally {
  const tally: Tally = { podDays: 0, opened: 0, breaches: 0, polls: 0, by: new Map() };
  for (let seed = firstSeed; tally.podDays < podDays; seed++) live(tally, seed, intervalMs, 2);
  return tally;
}

function figures(name: string, tally: Tally): Figure[] {
  const note = [...tally.by].map(([cause, times]) => `${cause} x${times}`).join(', ');
  return [
    { name: `${name}: pod-days`, value: tally.podDays, unit: '' },
    { name: `${name}: incidents opened`, value: tally.opened, unit: '', target: { kind: 'max', value: 0 }, note },
    { name: `${name}: breaching polls`, value: (1e4 * tally.breaches) / tally.polls, unit: 'of 10,000' },
  ];
}

function run({ out }: BenchOptions): Report {
  const all = [
    ...figures('polls of 60 s', tallyOf(1000, 60_000, 1)),
    ...figures('polls of 10 s', tallyOf(60, 10_000, 5001)),
  ];
  const rows = all.map(({ name, value, note = '' }) => ({ case: name, ranking: [], topType: note, confidence: value }));
  writeCases(out, 'no-fault', rows);
  return { set: 'no-fault', figures: all, lines: [] };
}

export const noFaultBench: Bench = {
  name: 'no-fault',
  about: 'false incidents in more than 1,000 simulated pod-days of ordinary life',
  run,
};
