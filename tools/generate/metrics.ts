import { join } from 'node:path';
import { METRICS, type LabelRule, type MetricDeclaration } from '../../src/controller/metrics.ts';
import type { Generator } from './generator.ts';
import { mentioned } from './mentions.ts';

const MOST_SHOWN = 12;

/** `reason` alone, or with its values where they are few: `result` (`ok`, `error`). */
function label([name, rule]: readonly [string, LabelRule]): string {
  if (typeof rule === 'number') return `\`${name}\` (at most ${rule})`;
  if (rule.length > MOST_SHOWN) return `\`${name}\` (${rule.length} values)`;
  return `\`${name}\` (${rule.map((value) => `\`${value}\``).join(', ')})`;
}

function row({ name, kind, help, labels, buckets }: MetricDeclaration): string {
  const bounds = buckets === undefined ? '' : ` Buckets: ${buckets.join(', ')}.`;
  return `| \`${name}\` | ${kind} | ${Object.entries(labels).map(label).join('; ')} | ${help}${bounds} |`;
}

const table = (metrics: readonly MetricDeclaration[]): string =>
  ['| Metric | Kind | Labels | Meaning |', '|---|---|---|---|', ...metrics.map(row)].join('\n');

async function page(): Promise<string> {
  const names = METRICS.map(({ name }) => name);
  const counted = await mentioned(names, join('controller', 'metrics.ts'));
  const silent = names.filter((name) => !counted.has(name));
  if (silent.length > 0) throw new Error(`declared, but counted by nobody: ${silent.join(', ')}`);
  return [
    '<!-- Generated from src/controller/metrics.ts by `npm run generate`. Do not edit. -->',
    '# Metrics',
    '`GET /metrics` serves them as Prometheus text; no key is needed. No label holds a pod name, an id or text that a caller wrote. A label that says *at most N* keeps so many distinct values; the next becomes `other`. A series with labels appears once its first value was counted. Numbers of the Node process itself (`process_*`, `nodejs_*`) come beside these.',
    table(METRICS),
    '',
  ].join('\n\n');
}

export const metricsGenerator: Generator = {
  name: 'reference page of the metrics',
  owns: [{ folder: 'docs/reference', files: /^metrics\.md$/ }],
  generate: async () => new Map([['docs/reference/metrics.md', await page()]]),
};
