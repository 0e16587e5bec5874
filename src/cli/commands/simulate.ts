import { Option } from 'commander';
import { HOUR } from '../../lib/duration.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import type { Subcommand } from '../command.ts';
import type { Services } from '../services.ts';
import { fromPrometheus } from '../simulate/from-prometheus.ts';
import { withLimits } from '../simulate/percent-of-limit.ts';
import { inLines, type FileProblem } from '../simulate/problems.ts';
import type { Effectiveness } from '../../policy/effectiveness.ts';
import { readEffectiveness } from '../simulate/read-effectiveness.ts';
import { readCsv } from '../simulate/read-csv.ts';
import { readManifests, type Manifests } from '../simulate/read-manifests.ts';
import { readOpenMetrics } from '../simulate/read-openmetrics.ts';
import type { RecordedSeries } from '../simulate/recorded-series.ts';
import { replay } from '../simulate/replay.ts';
import { notesOn } from '../simulate/notes.ts';
import { reportOf } from '../simulate/report.ts';
import { reportText } from '../simulate/report-text.ts';
import { parseMoment, parseSpan } from '../simulate/sample-time.ts';
import { sampleInterval, stepFor } from '../simulate/sampling.ts';

const EXAMPLES = `
Examples:
  aegis simulate -f policy.yaml --from 7d --prometheus http://prometheus:9090
  aegis simulate -f policy.yaml --from 2026-01-05T08:00:00Z --to 2026-01-05T20:00:00Z --mode Auto
  aegis simulate -f policy.yaml --samples samples.csv --json

Nothing is sent anywhere but range queries to Prometheus, whose settings (PROMETHEUS_*) are the operator's. A file of
samples is CSV (time,namespace,workload,pod,metric,value) or OpenMetrics text with a time on each line. The file of the policy
may hold several, and AegisGuardrails. The record does not react: what comes after an effect is what came without it.`;

interface Options {
  readonly file: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly samples?: readonly string[];
  readonly prometheus?: string;
  readonly namespace: string;
  readonly step?: string;
  readonly mode?: 'Observe' | 'Approve' | 'Auto';
  readonly effectiveness?: string;
  readonly json?: boolean;
}

/** Live polls know hours of past when they begin; so does the replay. */
const LEARNS_FROM_MS = 6 * HOUR;
const DEFAULT_SPAN = '1d';

/** `aegis simulate`: what a policy would have done to a recorded past. */
export const simulateCommand: Subcommand = (program, { services, ended }) => {
  program
    .command('simulate')
    .description('Replay recorded metrics under a policy: incidents, actions, and what the brakes would have held back')
    .requiredOption('-f, --file <file...>', 'manifests of AegisHealingPolicy, AegisGuardrail')
    .option(
      '--from <time>',
      `begin: RFC 3339, or a span back from now such as 7d (default: ${DEFAULT_SPAN}, or the first sample)`,
    )
    .option('--to <time>', 'end (default: now, or the last sample)')
    .option('--samples <file...>', 'recorded samples instead of Prometheus')
    .option('--prometheus <url>', 'server to read from (default: PROMETHEUS_URL)')
    .option('-n, --namespace <name>', 'namespace of policies and samples that name none', 'default')
    .option('--step <span>', 'distance of polls, e.g. 15s (default: the policy’s own, coarser for long ranges)')
    .addOption(new Option('--mode <mode>', 'instead of the policies’ own').choices(['Observe', 'Approve', 'Auto']))
    .option('--effectiveness <file>', 'what a running Aegis has learnt of the effects: aegis effectiveness --json')
    .option('--json', 'the whole report as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Options) => {
      const report = await simulate(options, services);
      if (!report.ok) {
        services.terminal.err(report.error);
        ended(1);
        return;
      }
      services.terminal.out(
        options.json === true ? `${JSON.stringify(report.value, null, 2)}\n` : reportText(report.value),
      );
      ended(0);
    });
};

interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

async function simulate(options: Options, services: Services) {
  const times = timesOf(options, services.terminal.nowMs());
  const manifests = await manifestsOf(options, services);
  const samples = options.samples === undefined ? ok([]) : await samplesOf(options, options.samples, services);
  const learnt = await effectivenessOf(options, services);
  const wrong = [times, manifests, samples, learnt].flatMap((each) => (each.ok ? [] : each.error));
  if (wrong.length > 0 || !times.ok || !manifests.ok || !samples.ok || !learnt.ok) return err(inLines(wrong));
  const { policies, guardrails } = withMode(manifests.value, options.mode);
  const record = await recordOf({ ...options, policies }, times.value, samples.value, services);
  if (!record.ok) return err(`${record.error}\n`);
  const { range, stepMs, series } = record.value;
  const sampleIntervalMs = options.samples === undefined ? stepMs : (sampleInterval(series) ?? stepMs);
  const outcome = await replay({
    ...{ ...range, policies, guardrails, series, stepMs, sampleIntervalMs },
    earlierEffectiveness: learnt.value,
  });
  if (outcome.faults.length > 0)
    return err(`the replay failed, which is a defect of Aegis: ${outcome.faults.join('; ')}\n`);
  const notes = notesOn({ policies, guardrails, series, outcome, stepMs, fromMs: range.fromMs });
  return ok(reportOf(outcome, { ...range, policies, stepMs, series: series.length, notes }));
}

async function effectivenessOf(
  { effectiveness: path }: Options,
  { terminal }: Services,
): Promise<Result<readonly Effectiveness[], readonly FileProblem[]>> {
  if (path === undefined) return ok([]);
  const text = await terminal.readFile(path);
  return text.ok ? readEffectiveness(path, text.value) : err([unreadable(text.error)]);
}

function timesOf(
  { from, to, step, samples }: Options,
  nowMs: number,
): Result<{ readonly fromMs?: number; readonly toMs?: number; readonly stepMs?: number }, readonly FileProblem[]> {
  const problems: FileProblem[] = [];
  const moment = (where: string, text: string | undefined): number | undefined => {
    const ms = text === undefined ? undefined : parseMoment(text, nowMs);
    if (text !== undefined && ms === undefined) {
      problems.push({
        where,
        message: `${JSON.stringify(text)} is no time; write 2026-01-05T12:30:00Z, or 7d for a week ago`,
      });
    }
    return ms;
  };
  const fromMs = moment('--from', from ?? (samples === undefined ? DEFAULT_SPAN : undefined));
  const toMs = moment('--to', to ?? (samples === undefined ? 'now' : undefined));
  const stepMs = step === undefined ? undefined : parseSpan(step);
  if (step !== undefined && (stepMs === undefined || stepMs < 1000)) {
    problems.push({
      where: '--step',
      message: `${JSON.stringify(step)} is no span of a second or more; write 15s or 2m`,
    });
  }
  if (fromMs !== undefined && toMs !== undefined && fromMs >= toMs) {
    problems.push({ where: '--from', message: 'is not before --to' });
  }
  if (problems.length > 0) return err(problems);
  return ok({
    ...(fromMs !== undefined && { fromMs }),
    ...(toMs !== undefined && { toMs }),
    ...(stepMs && { stepMs }),
  });
}

async function manifestsOf(
  { file, namespace }: Options,
  { terminal }: Services,
): Promise<Result<Manifests, readonly FileProblem[]>> {
  const read = await Promise.all(
    file.map(async (path) => {
      const text = await terminal.readFile(path);
      return text.ok ? readManifests(path, text.value, namespace) : err([unreadable(text.error)]);
    }),
  );
  const problems = read.flatMap((each) => (each.ok ? [] : each.error));
  if (problems.length > 0) return err(problems);
  const whole = read.flatMap((each) => (each.ok ? [each.value] : []));
  return ok({
    policies: whole.flatMap(({ policies }) => policies),
    guardrails: whole.flatMap(({ guardrails }) => guardrails),
  });
}

async function samplesOf(
  { namespace }: Options,
  paths: readonly string[],
  { terminal }: Services,
): Promise<Result<readonly RecordedSeries[], readonly FileProblem[]>> {
  const series: RecordedSeries[] = [];
  const problems: FileProblem[] = [];
  for (const path of paths) {
    const text = await terminal.readFile(path);
    if (!text.ok) problems.push(unreadable(text.error));
    else {
      const isCsv = path.endsWith('.csv') || /^\uFEFF?\s*"?time"?\s*,/i.test(text.value);
      const read = (isCsv ? readCsv : readOpenMetrics)(path, text.value, namespace);
      if (read.ok) series.push(...read.value);
      else problems.push(...read.error);
    }
  }
  return problems.length > 0 ? err(problems) : ok(withLimits(series));
}

/** `policy.yaml: cannot be read: ...`, taken apart again. */
function unreadable(sentence: string): FileProblem {
  const [where = '', ...rest] = sentence.split(': ');
  return { where, message: rest.join(': ') };
}

function withMode({ policies, guardrails }: Manifests, mode: Options['mode']): Manifests {
  return mode === undefined
    ? { policies, guardrails }
    : { policies: policies.map((each) => ({ ...each, mode })), guardrails };
}

interface Record {
  readonly range: Range;
  readonly stepMs: number;
  readonly series: readonly RecordedSeries[];
}

async function recordOf(
  { policies, prometheus, samples }: Options & Pick<Manifests, 'policies'>,
  times: { readonly fromMs?: number; readonly toMs?: number; readonly stepMs?: number },
  series: readonly RecordedSeries[],
  services: Services,
): Promise<Result<Record, string>> {
  const ends = extent(series);
  const range = { fromMs: times.fromMs ?? ends.fromMs, toMs: times.toMs ?? ends.toMs };
  if (samples !== undefined && !(range.fromMs < range.toMs)) {
    return err('the samples span no time: the replay needs at least two moments, and --from before --to');
  }
  const stepMs = times.stepMs ?? stepFor(policies, range.toMs - range.fromMs);
  if (samples !== undefined) return ok({ range, stepMs, series });
  const source = await services.openMetrics(prometheus);
  if (!source.ok) return source;
  const read = await fromPrometheus(source.value, {
    policies,
    ...range,
    fromMs: range.fromMs - LEARNS_FROM_MS,
    stepMs,
  });
  await source.value.close();
  if (!read.ok) return read;
  return read.value.length > 0 ? ok({ range, stepMs, series: read.value }) : err(nothingThere(policies));
}

function nothingThere(policies: Manifests['policies']): string {
  const namespaces = [...new Set(policies.map(({ namespace }) => namespace))].join(', ');
  return `Prometheus has no series of namespace ${namespaces} in this range: check -n, --from and the policy's metrics`;
}

function extent(series: readonly RecordedSeries[]): Range {
  let [fromMs, toMs] = [Infinity, -Infinity];
  for (const { timesMs } of series) {
    fromMs = Math.min(fromMs, timesMs[0] ?? Infinity);
    toMs = Math.max(toMs, timesMs.at(-1) ?? -Infinity);
  }
  return { fromMs, toMs };
}
