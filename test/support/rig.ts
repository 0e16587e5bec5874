import { connectRig, type RigHandle } from '../../tools/rig/handle.ts';
import { readFacts } from '../../tools/rig/state-dir.ts';

export type { RigHandle } from '../../tools/rig/handle.ts';

/**
 * The rig of this test run, or undefined where no control plane can be had (rig-setup.ts has said so, loudly):
 *
 *     const cluster = rig();
 *     (cluster ? describe : describe.skip)('eviction', () => { ... });
 */
export function rig(): RigHandle | undefined {
  const stateDir = process.env['AEGIS_RIG'];
  const facts = stateDir === undefined ? undefined : readFacts(stateDir);
  return facts === undefined ? undefined : connectRig(facts);
}

/** For use inside a test, where the rig is known to be there. */
export function requireRig(): RigHandle {
  const found = rig();
  if (found === undefined) throw new Error('no rig: the describe block must be skipped without one');
  return found;
}

/** The values that a PromQL expression has now, by their labels. */
export async function promQuery(prometheusUrl: string, query: string): Promise<{ labels: Labels; value: number }[]> {
  const response = await fetch(`${prometheusUrl}/api/v1/query?query=${encodeURIComponent(query)}`);
  const body = (await response.json()) as { data: { result: { metric: Labels; value: [number, string] }[] } };
  return body.data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
}

export type Labels = Readonly<Record<string, string>>;
