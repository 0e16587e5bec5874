import type { Figure } from './registry.ts';

/** Nanoseconds in a millisecond. */
export const MILLISECOND = 1e6;

/** A target that must not be exceeded. */
export const max = (value: number): NonNullable<Figure['target']> => ({ kind: 'max', value });

/** Nanoseconds of CPU that a piece of work takes; CPU and not wall time, so that a busy machine changes little. */
export function cpuNanoseconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1000;
}
