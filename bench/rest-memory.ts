import { processFigures } from './process-figures.ts';
import { mixedRequests } from './rest-calls.ts';
import { runLoad } from './rest-load.ts';
import type { Server } from './rest-servers.ts';
import { theilSenSlope } from '../src/detection/statistics/theil-sen-slope.ts';

/** Resident memory after so many requests. */
export interface MemoryPoint {
  readonly requests: number;
  readonly rssMiB: number;
}

/** The course of a long run. */
export interface MemoryCourse {
  readonly points: readonly MemoryPoint[];
  /** Highest of all points. */
  readonly peakMiB: number;
  readonly lastMiB: number;
  /** Over the second half: robust slope, MiB for each million of requests. */
  readonly growthPerMillion: number;
}

const POINTS = 20;
const CONNECTIONS = 20;

/** Sends the mixed load and looks at the server's memory twenty times on the way; answers that are no success throw. */
export async function memoryCourse(server: Server, requests: number): Promise<MemoryCourse> {
  const load = { port: server.port, connections: CONNECTIONS, requests: mixedRequests(), durationMs: Infinity };
  const points: MemoryPoint[] = [{ requests: 0, rssMiB: processFigures(server.pid).rssMiB }];
  const step = Math.ceil(requests / POINTS);
  for (let sent = 0; sent < requests;) {
    sent += (await runLoad({ ...load, mostRequests: Math.min(step, requests - sent) })).requests;
    points.push({ requests: sent, rssMiB: processFigures(server.pid).rssMiB });
  }
  const second = points.slice(Math.ceil(points.length / 2));
  const slopePerStep = theilSenSlope(Float64Array.from(second.map(({ rssMiB }) => rssMiB)));
  return {
    points,
    peakMiB: Math.max(...points.map(({ rssMiB }) => rssMiB)),
    lastMiB: points.at(-1)?.rssMiB ?? NaN,
    growthPerMillion: (slopePerStep / step) * 1e6,
  };
}
