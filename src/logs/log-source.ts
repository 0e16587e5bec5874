import type { LogSource } from '../controller/ports.ts';

/** Asks the source that the policy names, or the one that there is. `undefined` if there is none. */
export function createLogSource(sources: {
  readonly Kubernetes?: LogSource | undefined;
  readonly Loki?: LogSource | undefined;
}): LogSource | undefined {
  const fallback = sources.Kubernetes ?? sources.Loki;
  if (fallback === undefined) return undefined;
  return {
    read: (namespace, pods, sinceMs, maxLinesPerPod, from) =>
      ((from === undefined ? undefined : sources[from]) ?? fallback).read(namespace, pods, sinceMs, maxLinesPerPod),
  };
}
