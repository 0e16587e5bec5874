import { table } from '../table.ts';
import type { ExplainedAction, Explanation, Obstacle } from './explanation.ts';

/** Why what was done was done. */
export function whyText({ workload, atMs, policies, actions, decisions, obstacles }: Explanation): string {
  const [last] = actions;
  const held = obstacles.length === 0 ? [] : ['', 'Held back', ...obstacles.slice(0, 5).map(obstacleLine)];
  return lines([
    `${workload} at ${utc(atMs)}`,
    ...policies.map(policyLine),
    '',
    ...(last === undefined ? ['Nothing was done to it in the 24 hours before.'] : actionLines(last)),
    ...earlier(actions.slice(1)),
    ...(last !== undefined ? [] : decisions.slice(0, 1).flatMap(({ evidence }) => evidenceLines(evidence))),
    ...held,
  ]);
}

/** Why nothing, or nothing else, was done. */
export function whyNotText({ workload, atMs, policies, actions, obstacles }: Explanation): string {
  const running = actions.filter(({ nextLookMs, state }) => nextLookMs !== undefined || state === 'Verifying');
  return lines([
    `${workload} at ${utc(atMs)}`,
    ...policies.map(policyLine),
    '',
    ...(obstacles.length === 0
      ? ['Nothing holds anything back: there is no incident, or what it asks for is being done.']
      : []),
    ...obstacles.map(obstacleLine),
    ...running.map(({ action, name, state, nextLookMs }) =>
      nextLookMs === undefined
        ? `${action} ${name} is ${state}`
        : `${action} ${name} is ${state}; next look at ${utc(nextLookMs)}`,
    ),
  ]);
}

const lines = (all: readonly string[]): string => `${all.join('\n')}\n`;
const utc = (atMs: number): string => new Date(atMs).toISOString().replace(/\.\d+Z$/, 'Z');

function policyLine({ name, mode, conditions, incident }: Explanation['policies'][number]): string {
  const states = conditions.map(({ type, status }) => `${type}=${status}`).join(' ');
  const open =
    incident === undefined
      ? 'no incident is open'
      : `${incident.failureType} (${incident.severity}) since ${utc(incident.sinceMs)}: ${incident.decision}: ${incident.reason}`;
  return `policy ${name}, mode ${mode}: ${open}\n  ${states}`;
}

function actionLines(action: ExplainedAction): readonly string[] {
  const { measured, nextLookMs } = action;
  return [
    `${action.action} ${action.name}: ${action.state}`,
    `  ${action.reason}`,
    `  ${action.failureType}, confidence ${action.confidence.toFixed(2)}`,
    ...evidenceLines(action.evidence),
    ...action.course.map(({ atMs, what }) => `  ${utc(atMs)} ${what}`),
    ...(measured === undefined ? [] : [indent(measuredTable(measured))]),
    ...(nextLookMs === undefined ? [] : [`  next look at ${utc(nextLookMs)}`]),
    ...(action.advice === '' ? [] : [`  advice: ${action.advice}`]),
  ];
}

const evidenceLines = (evidence: readonly string[]): readonly string[] => evidence.map((each) => `    ${each}`);

function measuredTable({ before, after, peers }: NonNullable<ExplainedAction['measured']>): string {
  const number = (value: number | undefined): string => (value === undefined ? '-' : value.toPrecision(3));
  const rows = Object.keys(before).map((metric) => [
    metric,
    number(before[metric]),
    number(after[metric]),
    number(peers[metric]),
  ]);
  return rows.length === 0 ? '' : table([['MEASURED', 'BEFORE', 'AFTER', 'UNTREATED PEERS'], ...rows]);
}

const indent = (text: string): string =>
  text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');

function earlier(actions: readonly ExplainedAction[]): readonly string[] {
  if (actions.length === 0) return [];
  const rows = actions.map(({ decidedAtMs, action, failureType, state, name }) => [
    utc(decidedAtMs),
    action,
    failureType,
    state,
    name,
  ]);
  return ['', 'Before that', table([['DECIDED', 'ACTION', 'FAILURE', 'STATE', 'NAME'], ...rows])];
}

function obstacleLine({ atMs, action, reason, message, meaning, next }: Obstacle): string {
  const head = `${atMs === undefined ? '' : `${utc(atMs)} `}${action ?? 'any action'}: ${reason}: ${message}`;
  return [head, ...(meaning === undefined ? [] : [`    ${meaning} Then: ${next ?? ''}.`])].join('\n');
}
