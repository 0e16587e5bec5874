import { existsSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const CGROUPS = '/sys/fs/cgroup';
/** The kubelet's, at the top of each hierarchy. */
const POD_CGROUP = 'kubepods';

/** Weight of all pods together against the machine's other work; a kubelet gives them that of its cores, 1024 each. */
const POD_SHARES = 16_384;
/** The same in version 2, whose scale ends at 10,000. */
const POD_WEIGHT = 1_600;

/** Lets pods have the processor before the machine's other work, as on a node of their own. */
export function preferPods(): void {
  for (const [folder, file, value] of [
    [join(CGROUPS, 'cpu', POD_CGROUP), 'cpu.shares', POD_SHARES],
    [join(CGROUPS, 'cpu,cpuacct', POD_CGROUP), 'cpu.shares', POD_SHARES],
    [join(CGROUPS, POD_CGROUP), 'cpu.weight', POD_WEIGHT],
  ] as const) {
    if (existsSync(join(folder, file))) writeFileSync(join(folder, file), String(value));
  }
}

/**
 * Removes the cgroups of pods whose processes are gone; the kernel may take a moment for the last of them. Returns the folders
 * that could not be removed.
 */
export async function removePodCgroups(timeoutMs = 20_000): Promise<readonly string[]> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const left = podCgroups();
    for (const folder of left) removeFromBelow(folder);
    const stubborn = podCgroups();
    if (stubborn.length === 0 || Date.now() > deadline) return stubborn;
    await sleep(200);
  }
}

/** In one hierarchy (version 2) or in each of several (version 1). */
function podCgroups(): string[] {
  const hierarchies = [CGROUPS, ...foldersIn(CGROUPS)];
  return hierarchies.flatMap((each) => foldersIn(each).filter((folder) => folder.endsWith(`/${POD_CGROUP}`)));
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(folder, entry.name));
  } catch {
    return [];
  }
}

function removeFromBelow(folder: string): void {
  for (const child of foldersIn(folder)) removeFromBelow(child);
  try {
    rmdirSync(folder);
  } catch {
    // Still busy or gone already: the caller looks again.
  }
}
