import type { Seen, SeenAction } from './observer.ts';
import type { Injection } from './stage.ts';
import { CONTROLS } from './story.ts';
import { seconds, table } from './table.ts';

export interface ChapterOutcome {
  readonly injection: Injection;
  /** Every effect that was done on the workload. */
  readonly effects: readonly SeenAction[];
  readonly cure?: SeenAction;
  readonly isGood: boolean;
}

export interface Outcome {
  readonly chapters: readonly ChapterOutcome[];
  /** Anything at all that was decided about a healthy workload. */
  readonly onControls: readonly SeenAction[];
  readonly isGood: boolean;
}

/** Good: exactly one effect for each fault, the right one, healed; none on a control. */
export function judge(seen: Seen, injections: readonly Injection[]): Outcome {
  const chapters = injections.map((injection): ChapterOutcome => {
    const { workload, expected } = injection.chapter;
    const effects = seen.actions.filter((action) => action.workload === workload && action.action !== 'alert_admin');
    const cure = effects.find(({ action }) => action === expected);
    const isGood = effects.length === 1 && cure?.state === 'Healed';
    return { injection, effects, isGood, ...(cure !== undefined && { cure }) };
  });
  const onControls = seen.actions.filter(({ workload }) => (CONTROLS as readonly string[]).includes(workload));
  return { chapters, onControls, isGood: chapters.every(({ isGood }) => isGood) && onControls.length === 0 };
}

export function report(outcome: Outcome): string {
  const header = ['fault', 'detected after', 'diagnosis', 'action', 'result', 'MTTR', 'verified effect'];
  const rows = outcome.chapters.map(({ injection, cure }) => {
    const { chapter, atMs } = injection;
    const mttr = cure?.state === 'Healed' && cure.verifiedMs !== undefined ? seconds(cure.verifiedMs - atMs) : '-';
    return [
      `${chapter.workload}: ${chapter.fault}`,
      cure === undefined ? '-' : seconds(cure.decidedMs - atMs),
      cure?.failureType ?? '-',
      cure?.action ?? '-',
      cure?.state ?? 'not healed',
      mttr,
      cure?.verdict ?? '-',
    ];
  });
  const extra = outcome.chapters.flatMap(({ effects, cure }) => effects.filter((effect) => effect !== cure));
  const lines = [table([header, ...rows]), ''];
  for (const { name, workload, action, reason } of extra)
    lines.push(`not wanted: ${action} on ${workload} (${name}): ${reason}`);
  lines.push(
    outcome.onControls.length === 0
      ? `controls: ${CONTROLS.length} healthy workloads, nothing done to any of them`
      : outcome.onControls
          .map((a) => `control touched: ${a.action} on ${a.workload} (${a.state}): ${a.reason}`)
          .join('\n'),
    outcome.isGood ? 'demo: all three healed by the right action' : 'demo: FAILED',
  );
  return lines.join('\n');
}
