import type { RevisionSnapshot, WorkloadSnapshot } from '../lib/workload.ts';
import { CHANGE_WINDOW_MS } from './evidence.ts';
import type { Change, DiagnosisInput } from './evidence.ts';

/** The cluster needs some seconds from a patch to the new revision; a restart by Aegis is not somebody's deploy. */
const AEGIS_REVISION_MS = 120_000;
/** The first revision comes with the workload itself. */
const BIRTH_MS = 60_000;

/** Newest revision of the pod template; undefined if none is known. */
export function newestRevision(workload: WorkloadSnapshot | undefined): RevisionSnapshot | undefined {
  return workload?.revisions.toSorted(
    (a, b) => b.createdAtMs - a.createdAtMs || (b.revision ?? 0) - (a.revision ?? 0) || (a.name < b.name ? -1 : 1),
  )[0];
}

/** The revision before the newest, to roll back to; undefined if there was none. */
export function previousRevision(workload: WorkloadSnapshot | undefined): RevisionSnapshot | undefined {
  const newest = newestRevision(workload);
  return workload?.revisions
    .filter((each) => each.name !== newest?.name)
    .toSorted((a, b) => (b.revision ?? 0) - (a.revision ?? 0) || b.createdAtMs - a.createdAtMs)[0];
}

function templateChange(input: DiagnosisInput): Change | undefined {
  const newest = newestRevision(input.workload);
  if (newest === undefined || input.workload === undefined) return undefined;
  const isBirth = input.workload.revisions.length === 1 && newest.createdAtMs - input.workload.createdAtMs <= BIRTH_MS;
  if (isBirth) return undefined;
  const byAegis = (input.recentActions ?? []).some(
    (action) =>
      action.action === 'restart_pod' &&
      newest.createdAtMs >= action.executedAtMs &&
      newest.createdAtMs - action.executedAtMs <= AEGIS_REVISION_MS,
  );
  return { kind: byAegis ? 'aegis' : 'template', name: newest.name, atMs: newest.createdAtMs };
}

/** Discriminator 5: what changed within 15 minutes before the onset, or since, newest first. */
export function changesBeforeOnset(input: DiagnosisInput): readonly Change[] {
  const derived = templateChange(input);
  const all = [...(input.changes ?? []), ...(derived === undefined ? [] : [derived])];
  const known = new Set<string>();
  return all
    .filter((change) => change.atMs >= input.onsetAtMs - CHANGE_WINDOW_MS && change.atMs <= input.nowMs)
    .toSorted((a, b) => b.atMs - a.atMs || (a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : a.name < b.name ? -1 : 1))
    .filter((change) => {
      const id = `${change.kind} ${change.name}`;
      return !known.has(id) && known.add(id).size > 0;
    });
}

/** Pods of two templates live side by side, or the controller has not yet seen the spec. */
export function isMidRollout(workload: WorkloadSnapshot | undefined): boolean {
  if (workload === undefined) return false;
  if (workload.observedGeneration < workload.generation) return true;
  const living = workload.revisions.filter((revision) => revision.replicas > 0);
  if (living.length > 1) return true;
  const { updated, desired, current } = workload.replicas;
  return updated < Math.min(desired, current);
}

/** The first revision failed from its birth: nothing to roll back to, and nobody's crash either. */
export function neverWorked(input: DiagnosisInput): boolean {
  const { workload } = input;
  if (workload === undefined || workload.revisions.length > 1) return false;
  const young = input.onsetAtMs - workload.createdAtMs <= CHANGE_WINDOW_MS;
  return young && workload.replicas.ready === 0 && workload.pods.length > 0 && workload.pods.every((pod) => !pod.ready);
}
