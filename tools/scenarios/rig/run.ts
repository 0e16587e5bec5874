import type { LoadedScenario } from '../load.ts';
import { openGround, type Ground } from './ground.ts';
import { playOnRig } from './play-on-rig.ts';
import { isClusterWide, notOnRig } from './playable.ts';

export interface RigRun {
  /** Scenarios at the same time, each with an operator of its own. */
  readonly jobs: number;
  readonly told: (loaded: LoadedScenario, failures: readonly string[], story: string) => void;
  readonly notRun: (loaded: LoadedScenario, reasons: readonly string[]) => void;
}

/** Plays what the rig can play: several at once in namespaces of their own, then one by one what the cluster as a whole feels. */
export async function playAllOnRig(all: readonly LoadedScenario[], run: RigRun): Promise<void> {
  const able = all.filter((loaded) => {
    const reasons = notOnRig(loaded);
    if (reasons.length > 0) run.notRun(loaded, reasons);
    return reasons.length === 0;
  });
  if (able.length === 0) return;
  const ground = await openGround((line) => process.stderr.write(`rig: ${line}\n`));
  const end = (): void => void ground.close().finally(() => process.exit(130));
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  try {
    // The long ones first, so that none is left over at the end.
    const apart = able
      .filter((loaded) => !isClusterWide(loaded))
      .toSorted((a, b) => b.scenario.lastsSeconds - a.scenario.lastsSeconds);
    const queue = [...apart];
    await Promise.all(Array.from({ length: run.jobs }, () => drain(ground, queue, run)));
    await drain(ground, able.filter(isClusterWide), run);
  } finally {
    await ground.close();
    process.off('SIGINT', end).off('SIGTERM', end);
  }
}

async function drain(ground: Ground, queue: LoadedScenario[], { told }: RigRun): Promise<void> {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { failures, story } = await playOnRig(ground, next);
    told(next, failures, story);
  }
}
