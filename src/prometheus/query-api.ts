import type { SourceError } from '../controller/ports.ts';
import type { Result } from '../lib/result.ts';
import { parseVector, type Row } from './instant-vector.ts';
import type { ReplyLimits } from './options.ts';
import { openReply } from './reply.ts';
import type { Transport } from './transport.ts';

/** Answer to an instant query. */
export interface InstantReply {
  readonly rows: readonly Row[];
  /** Why the rows cannot be trusted. */
  readonly partial?: string;
}

/** The hot path: instant queries, parsed straight into rows. Without a time the server's own clock counts. */
export type InstantQuery = (promql: string, timeMs?: number) => Promise<Result<InstantReply, SourceError>>;

/** Sends the query as a POST, so that its length does not matter. */
export function createInstantQuery(transport: Transport, limits: ReplyLimits, timeoutMs: number): InstantQuery {
  return async (promql, timeMs) => {
    // The engine's own encoder: that of URLSearchParams walks the merged query of a poll character by character.
    const query = encodeURIComponent(promql.toWellFormed());
    const time = timeMs === undefined ? '' : `&time=${(timeMs / 1000).toFixed(3)}`;
    const parameters = `query=${query}${time}&timeout=${Math.ceil(timeoutMs / 1000)}s`;
    const reply = await transport.send({ method: 'POST', path: '/api/v1/query', parameters });
    if (!reply.ok) return reply;
    const opened = openReply(reply.value, limits);
    if (!opened.ok) return opened;
    const { data, partial } = opened.value;
    const rows = parseVector(data, limits);
    if (!rows.ok) return rows;
    return { ok: true, value: { rows: rows.value, ...(partial === undefined ? {} : { partial }) } };
  };
}
