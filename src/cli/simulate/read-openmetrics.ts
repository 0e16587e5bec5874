import { err, ok, type Result } from '../../lib/result.ts';
import { namedWorkload } from '../../lib/workload-labels.ts';
import { Problems, type FileProblem } from './problems.ts';
import { FACTS, TERMINATED, WAITING, type RecordedSeries } from './recorded-series.ts';
import { SampleTable } from './sample-table.ts';
import { parseTime } from './sample-time.ts';

type Labels = Readonly<Record<string, string>>;

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+(\S+))?(?:\s+#.*)?$/;
const LABEL = /\s*([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)/gy;

/** Names of kube-state-metrics, and what the replay makes of them. Summed over a pod's containers. */
const FACT_OF: Readonly<Record<string, (labels: Labels) => string | undefined>> = {
  kube_pod_container_status_restarts_total: () => FACTS.restarts,
  kube_pod_created: () => FACTS.created,
  kube_pod_status_ready: ({ condition }) => (condition === 'true' ? FACTS.ready : undefined),
  kube_pod_container_status_waiting_reason: ({ reason }) => (reason === undefined ? undefined : `${WAITING}${reason}`),
  kube_pod_container_status_last_terminated_reason: ({ reason }) =>
    reason === undefined ? undefined : `${TERMINATED}${reason}`,
  kube_pod_container_resource_limits: ({ resource }) =>
    resource === 'cpu' ? FACTS.cpuLimit : resource === 'memory' ? FACTS.memoryLimit : undefined,
  kube_deployment_spec_replicas: () => FACTS.replicas,
  kube_statefulset_replicas: () => FACTS.replicas,
};

/**
 * OpenMetrics or Prometheus text, each sample with its time, as `promtool tsdb dump-openmetrics` and recording rules give
 * them: `cpu_usage{namespace="shop",pod="web-1"} 41.2 1767614400`. Every problem of the file at once.
 */
export function readOpenMetrics(
  file: string,
  content: string,
  defaultNamespace: string,
): Result<readonly RecordedSeries[], readonly FileProblem[]> {
  const problems = new Problems(file);
  const table = new SampleTable();
  let samples = 0;
  content.split(/\r?\n/).forEach((line, i) => {
    if (line.trim() === '' || line.startsWith('#')) return;
    samples += 1;
    readLine(line, i + 1, { table, problems, defaultNamespace });
  });
  if (samples === 0)
    problems.add(undefined, 'holds no sample; it takes lines like cpu_usage{pod="web-1"} 41.2 1767614400');
  return problems.count > 0 ? err(problems.list()) : ok(table.series());
}

interface Sink {
  readonly table: SampleTable;
  readonly problems: Problems;
  readonly defaultNamespace: string;
}

function readLine(line: string, at: number, { table, problems, defaultNamespace }: Sink): void {
  const match = LINE.exec(line);
  if (match === null) return problems.add(at, 'is no sample; write name{label="value"} VALUE TIME');
  const [, name = '', inBraces = '', text = '', time] = match;
  const labels = labelsOf(inBraces);
  if (labels === undefined) return problems.add(at, `cannot read the labels {${inBraces}}; write label="value", ...`);
  const atMs = time === undefined ? undefined : parseTime(time);
  if (atMs === undefined) {
    const what = time === undefined ? 'has no time' : `time ${JSON.stringify(time)} is none`;
    return problems.add(at, `${what}; a replay needs epoch seconds on every sample`);
  }
  const isGap = /^[+-]?(nan|inf)$/i.test(text);
  const value = Number(text);
  if (!isGap && !Number.isFinite(value)) return problems.add(at, `value ${JSON.stringify(text)} is no number`);
  const metric = metricOf(name, labels);
  if (isGap || metric === undefined) return;
  table.add({
    ...identityOf(name, metric, labels),
    metric,
    atMs,
    value,
    namespace: labels['namespace'] ?? defaultNamespace,
  });
}

/** `undefined`: a series of kube-state-metrics that says nothing here. */
function metricOf(name: string, labels: Labels): string | undefined {
  const fact = FACT_OF[name];
  return fact === undefined ? name : fact(labels);
}

function identityOf(name: string, metric: string, { pod, container, ...labels }: Labels) {
  const workload = namedWorkload(labels);
  return {
    ...(pod !== undefined && metric !== FACTS.replicas && { pod }),
    ...(workload !== undefined && { workload: workload.name }),
    ...(workload?.kind !== undefined && { workloadKind: workload.kind }),
    ...(name in FACT_OF && container !== undefined && { container }),
  };
}

/** `undefined`: something stands there that is no label. */
function labelsOf(text: string): Labels | undefined {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  let end = 0;
  for (;;) {
    const match = LABEL.exec(text);
    if (match === null) break;
    labels[match[1] ?? ''] = (match[2] ?? '').replaceAll(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));
    end = LABEL.lastIndex;
  }
  return text.slice(end).trim() === '' ? labels : undefined;
}
