import type { MetricEvidenceSource } from '../controller/evidence-ports.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { SourceError } from '../controller/ports.ts';
import { callEdges, callsQuery } from './call-edges.ts';
import { claimQuery, claimRooms } from './claim-room.ts';
import type { Row } from './instant-vector.ts';
import { maxSampleAgeMs, settingsOf, type MetricSourceOptions } from './options.ts';
import { createInstantQuery } from './query-api.ts';
import { sourceError } from './source-error.ts';
import type { Transport } from './transport.ts';

/** Names of one query; the incident that asks has far fewer. */
const MOST_CLAIMS = 200;

/**
 * What the metric server knows besides the watched metrics; asked only while an incident is open, over the connections of
 * the metric source.
 */
export function createMetricEvidence(transport: Transport, options: MetricSourceOptions): MetricEvidenceSource {
  const settings = settingsOf(options);
  const ask = createInstantQuery(transport, settings.limits, settings.timeoutMs);
  const rowsOf = async (promql: string): Promise<Result<readonly Row[], SourceError>> => {
    const reply = await ask(promql);
    if (!reply.ok) return reply;
    const { rows, partial } = reply.value;
    return partial === undefined ? ok(rows) : err(sourceError('Partial', partial));
  };
  return {
    async claims(namespace, claims) {
      if (claims.length === 0) return ok([]);
      const maxAgeMs = maxSampleAgeMs(settings.scrapeIntervalMs);
      const rows = await rowsOf(claimQuery(namespace, claims.slice(0, MOST_CLAIMS), maxAgeMs));
      return rows.ok ? ok(claimRooms(rows.value)) : rows;
    },
    async calls(namespaces) {
      if (namespaces.length === 0) return ok(undefined);
      const rows = await rowsOf(callsQuery(namespaces));
      if (!rows.ok) return rows;
      return ok(rows.value.length === 0 ? undefined : callEdges(rows.value, namespaces));
    },
  };
}
