import { inWords } from '../../lib/duration.ts';
import { table } from '../table.ts';
import type { ReportedIncident, SimulationReport } from './report.ts';

/** The report for people: the figures, a table of incidents, then each of them in its own words. */
export function reportText(report: SimulationReport): string {
  const { fromMs, toMs, stepSeconds, polls, series, pods, workloads, incidents, totals, alerts } = report;
  const head = [
    `${utc(fromMs)} to ${utc(toMs)} (${inWords(toMs - fromMs)}), judged every ${inWords(stepSeconds * 1000)}: ${polls} polls`,
    `${series} series of ${pods} pods in ${workloads.length} workloads: ${workloads.join(', ')}`,
    `${totals.incidents} incidents; actions: ${counts(totals.actions)}; held back: ${counts(totals.held)}; messages to people: ${alerts}`,
  ];
  const rows = incidents.map((incident) => [
    utc(incident.openedAtMs),
    incident.resolvedAtMs === undefined ? 'still open' : inWords(incident.resolvedAtMs - incident.openedAtMs),
    incident.workload,
    incident.severity,
    incident.actions[0]?.failureType ?? '-',
    incident.actions.map(({ action }) => action).join(', ') || '-',
    [...new Set(incident.held.map(({ reason }) => reason))].join(', ') || '-',
  ]);
  const header = ['OPENED', 'LASTED', 'WORKLOAD', 'SEVERITY', 'FAILURE', 'ACTIONS', 'HELD BACK BY'];
  return [
    ...head,
    '',
    ...(rows.length === 0 ? ['No incident would have been opened.'] : [table([header, ...rows])]),
    ...incidents.map(story),
    'Notes',
    ...report.notes.map((note) => `  ${note}`),
    '',
  ].join('\n');
}

function story(incident: ReportedIncident): string {
  const { workload, openedAtMs, policy, metrics, pods, score, diagnosis } = incident;
  const lines = [
    ...incident.actions.map((each) => {
      const after = each.isAfterAnEffect ? ' [only if the effect before it had not helped]' : '';
      return { atMs: each.atMs, text: `would do ${each.action}${after}: ${each.reason} -> ${each.state}` };
    }),
    ...incident.held.map(({ atMs, action, reason, message }) => ({
      atMs,
      text: `held back ${action}: ${reason}: ${message}`,
    })),
  ].sort((a, b) => a.atMs - b.atMs);
  return [
    '',
    `${utc(openedAtMs)} ${workload}, policy ${policy}: score ${score.toFixed(2)}, ${metrics.join(', ') || 'status'}, ${pods.length} pods`,
    ...(diagnosis === undefined ? [] : [`  ${diagnosis}`]),
    ...lines.map(({ atMs, text }) => `  ${utc(atMs)} ${text}`),
    '',
  ].join('\n');
}

const utc = (atMs: number): string => new Date(atMs).toISOString().replace(/\.\d+Z$/, 'Z');

function counts(of: Readonly<Record<string, number>>): string {
  const parts = Object.entries(of).map(([name, count]) => `${name} ${count}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}
