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
  /** The server's time when it answered: its `Date`, or that of the evaluation if this is later; absent: it gave neither. */
  readonly answeredMs?: number;
}

/** The hot path: instant queries, parsed straight into rows. Asked is for now, by the server's own clock. */
export type InstantQuery = (promql: string) => Promise<Result<InstantReply, SourceError>>;

/** Sends the query as a POST, so that its length does not matter. */
export function createInstantQuery(transport: Transport, limits: ReplyLimits, timeoutMs: number): InstantQuery {
  return async (promql) => {
    // The engine's own encoder: that of URLSearchParams walks the merged query of a poll character by character.
    const query = encodeURIComponent(promql.toWellFormed());
    const parameters = `query=${query}&timeout=${Math.ceil(timeoutMs / 1000)}s`;
    const reply = await transport.send({ method: 'POST', path: '/api/v1/query', parameters });
    if (!reply.ok) return reply;
    const opened = openReply(reply.value, limits);
    if (!opened.ok) return opened;
    const { data, partial } = opened.value;
    const rows = parseVector(data, limits);
    if (!rows.ok) return rows;
    const answeredMs = latest(rows.value, reply.value.dateMs);
    return {
      ok: true,
      value: {
        rows: rows.value,
        ...(partial === undefined ? {} : { partial }),
        ...(answeredMs === undefined ? {} : { answeredMs }),
      },
    };
  };
}

/** Some servers evaluate a little before now, and front ends have clocks of their own: a sample is as old as the later says. */
function latest(rows: readonly Row[], dateMs: number | undefined): number | undefined {
  let latestMs = dateMs ?? Number.NEGATIVE_INFINITY;
  for (const { atMs } of rows) if (atMs > latestMs) latestMs = atMs;
  return Number.isFinite(latestMs) ? latestMs : undefined;
}
