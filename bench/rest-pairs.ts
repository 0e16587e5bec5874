import { quantileOfSorted } from '../src/detection/statistics/quantile.ts';
import { processFigures } from './process-figures.ts';
import { KEY, type Call } from './rest-calls.ts';
import { aRequest, runLoad, type LoadRequest } from './rest-load.ts';
import type { Server } from './rest-servers.ts';

/** What a server did with a call, over all its slices. */
export interface ServerFigures {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the server for one request, microseconds. */
  readonly cpuMicros: number;
  /** Of each slice, in their order. */
  readonly slices: readonly { readonly perSecond: number; readonly cpuMicros: number }[];
}

/** A server with the route that it is called on. */
export interface Contender {
  readonly server: Server;
  readonly path?: string;
}

export interface PairSetting {
  readonly connections: number;
  /** Every server gets one in each round. */
  readonly rounds: number;
  readonly sliceMs: number;
}

/**
 * Requests before the measurement: a server that is still being compiled is not what is measured. V8 is done after some
 * 8,000 requests of a kind; at 1,500 a tenth of the processor time was the compiler's, and more of it ours than express's.
 */
const WARM_UP = 8_000;
const WARM_UP_LIMIT_MS = 12_000;

/**
 * Measures servers against one another in short slices in turn, so that whatever else the machine does meets all of them
 * alike.
 */
export async function measureInTurn(
  call: Call,
  contenders: readonly Contender[],
  setting: PairSetting,
): Promise<readonly ServerFigures[]> {
  const loads = contenders.map(({ server, path }) => ({
    port: server.port,
    connections: setting.connections,
    requests: call.bodies.map((body): LoadRequest => aRequest('POST', path ?? call.path, KEY, body)),
  }));
  for (const load of loads) await runLoad({ ...load, mostRequests: WARM_UP, durationMs: WARM_UP_LIMIT_MS });
  const slices = contenders.map((): Slice[] => []);
  for (let round = 0; round < setting.rounds; round++) {
    for (const [i, { server }] of contenders.entries()) {
      const load = loads[i];
      if (load === undefined) continue;
      const before = processFigures(server.pid);
      const result = await runLoad({ ...load, durationMs: setting.sliceMs });
      const cpuMs = processFigures(server.pid).cpuMs - before.cpuMs;
      slices[i]?.push({ ...result, cpuMicros: (cpuMs * 1000) / result.requests });
    }
  }
  return slices.map(figuresOf);
}

interface Slice {
  readonly requests: number;
  readonly perSecond: number;
  readonly latenciesMs: Float64Array;
  readonly cpuMicros: number;
}

function figuresOf(slices: readonly Slice[]): ServerFigures {
  const latenciesMs = Float64Array.from(slices.flatMap((slice) => [...slice.latenciesMs])).sort();
  return {
    perSecond: medianOf(slices.map(({ perSecond }) => perSecond)),
    cpuMicros: medianOf(slices.map(({ cpuMicros }) => cpuMicros)),
    p50Ms: quantileOfSorted(latenciesMs, 0.5),
    p99Ms: quantileOfSorted(latenciesMs, 0.99),
    slices,
  };
}

/** The median over the rounds of ours by theirs. */
export function medianRatio(
  ours: ServerFigures,
  theirs: ServerFigures,
  of: (slice: ServerFigures['slices'][number]) => number,
): number {
  return medianOf(
    ours.slices.flatMap((slice, i) => {
      const other = theirs.slices[i];
      return other === undefined ? [] : [of(slice) / of(other)];
    }),
  );
}

const medianOf = (values: readonly number[]): number => quantileOfSorted(Float64Array.from(values).sort(), 0.5);
