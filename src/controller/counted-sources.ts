import type { Result } from '../lib/result.ts';
import type { MetricEvidenceSource } from './evidence-ports.ts';
import type { LogSource, MetricsSink, MetricSource, PollReply, SourceError } from './ports.ts';

type SourceName = 'metrics' | 'logs';

/** A server that said these answers: what it was asked was wrong, or too much. */
const ITS_ANSWER: ReadonlySet<SourceError['kind']> = new Set(['QueryInvalid', 'QueryTooLarge', 'Partial']);

/** The same source; how often it is asked, and what it answers, is counted on the way. */
export function countedMetricSource(source: MetricSource, metrics: MetricsSink): MetricSource {
  const note = noteFor('metrics', metrics);
  return {
    async poll(wishes, nowMs) {
      const reply = await source.poll(wishes, nowMs);
      note(reply.queries, troubles(reply), answered(reply));
      return reply;
    },
    async backfill(wish, fromMs, toMs, stepMs) {
      const reply = await source.backfill(wish, fromMs, toMs, stepMs);
      note(1, reply.ok ? [] : [reply.error]);
      return reply;
    },
    async firingAlerts() {
      const reply = await source.firingAlerts();
      note(1, reply.ok ? [] : [reply.error]);
      return reply;
    },
    lookBackMs: (wish) => source.lookBackMs(wish),
    checkQueries: (wish) => source.checkQueries(wish),
    close: () => source.close(),
  };
}

/**
 * What is asked of the same server besides the watched metrics. Whether that is up the polls tell: one dear question
 * that times out says little.
 */
export function countedMetricEvidence(source: MetricEvidenceSource, metrics: MetricsSink): MetricEvidenceSource {
  const noted = <T>(reply: Result<T, SourceError>): Result<T, SourceError> => {
    metrics.count('aegis_queries_total', { source: 'metrics' });
    if (!reply.ok) metrics.count('aegis_source_errors_total', { source: 'metrics', kind: reply.error.kind });
    return reply;
  };
  return {
    claims: async (namespace, claims) => noted(await source.claims(namespace, claims)),
    calls: async (namespaces) => noted(await source.calls(namespaces)),
  };
}

export function countedLogSource(source: LogSource, metrics: MetricsSink): LogSource {
  const note = noteFor('logs', metrics);
  return {
    async read(namespace, pods, sinceMs, maxLinesPerPod, from) {
      const reply = await source.read(namespace, pods, sinceMs, maxLinesPerPod, from);
      note(1, reply.ok ? [] : [reply.error]);
      return reply;
    },
  };
}

function noteFor(source: SourceName, metrics: MetricsSink) {
  return (questions: number, errors: readonly SourceError[], isUp = errors.every(isAnswer)): void => {
    metrics.count('aegis_queries_total', { source }, questions);
    for (const { kind } of errors) metrics.count('aegis_source_errors_total', { source, kind });
    metrics.gauge('aegis_source_up', isUp ? 1 : 0, { source });
  };
}

const isAnswer = ({ kind }: SourceError): boolean => ITS_ANSWER.has(kind);

/** A query is shared by many policies and metrics: what went wrong with it is one trouble. */
function troubles({ policies }: PollReply): readonly SourceError[] {
  const distinct = new Map<string, SourceError>();
  for (const { problems } of policies)
    for (const { error } of problems) distinct.set(`${error.kind} ${error.message}`, error);
  return [...distinct.values()];
}

/** It answered something: a value, or at least nothing that only silence or refusal leaves behind. */
function answered({ policies }: PollReply): boolean {
  const isValue = policies.some(({ readings }) => readings.some(({ reading }) => reading.kind === 'value'));
  return isValue || policies.every(({ problems }) => problems.every(({ error }) => isAnswer(error)));
}
