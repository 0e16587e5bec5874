import { readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a kubelet sets for the whole machine when it starts. */
const TUNABLES = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
] as const;

/** Remembers the machine's settings; the returned function puts back those that differ. */
export function rememberTunables(): () => void {
  const path = (name: string): string => join('/proc/sys', name);
  const before = TUNABLES.map((name) => [name, read(path(name))] as const);
  return () => {
    for (const [name, value] of before) {
      if (value !== undefined && read(path(name)) !== value) writeFileSync(path(name), value);
    }
  };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined; // a kernel without it
  }
}

const CGROUPS = '/sys/fs/cgroup';
/** The kubelet's, at the top of each hierarchy. */
const POD_CGROUP = 'kubepods';

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
