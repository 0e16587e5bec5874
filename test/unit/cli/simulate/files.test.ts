import { describe, expect, test } from '@jest/globals';
import { SUBCOMMANDS } from '../../../../src/cli/commands/all.ts';
import { runProgram } from '../../../../src/cli/program.ts';
import { parseMoment, parseTime } from '../../../../src/cli/simulate/sample-time.ts';
import { readCsv } from '../../../../src/cli/simulate/read-csv.ts';
import { readOpenMetrics } from '../../../../src/cli/simulate/read-openmetrics.ts';
import { aTerminal } from '../../../support/builders/cli.ts';

const POLICY = `
apiVersion: healing.aegis.dev/v1alpha1
kind: AegisHealingPolicy
metadata: { name: web, namespace: shop }
spec: { mode: Auto, target: { kind: Deployment, name: web } }
`;
const HEADER = 'time,namespace,workload,pod,metric,value';
const T0 = Date.UTC(2026, 0, 5, 12);
const iso = (i: number): string => new Date(T0 + i * 15_000).toISOString();

/** An hour of two well pods. */
const WELL = [
  HEADER,
  ...Array.from({ length: 240 }, (_, i) =>
    ['web-5d9c-a1', 'web-5d9c-b2'].map((pod) => `${iso(i)},shop,web,${pod},cpu_usage,${40 + (i % 3)}`),
  ).flat(),
].join('\n');

async function simulated(files: Readonly<Record<string, string>>, argv: readonly string[]) {
  const { services, output, stdout } = aTerminal({ 'policy.yaml': POLICY, 'well.csv': WELL, ...files });
  const code = await runProgram(['simulate', ...argv], services, SUBCOMMANDS);
  return { code, output: output(), stdout: stdout() };
}

const GOOD = ['-f', 'policy.yaml', '--samples', 'well.csv'];

describe('files that cannot be used say what, where, and how to mend it, all at once', () => {
  test.each([
    [
      'samples with three mistakes',
      {
        'bad.csv': `${HEADER}\nyesterday,shop,web,web-1,cpu_usage,40\n${iso(0)},shop,web,web-1,cpu_usage,much\n${iso(0)},shop,web,web-1`,
      },
      ['-f', 'policy.yaml', '--samples', 'bad.csv'],
      [
        'bad.csv:2: time "yesterday" is none',
        'bad.csv:3: value "much" is no number',
        'bad.csv:4: has 4 cells, the header 6',
      ],
    ],
    [
      'a header without its columns',
      { 'bad.csv': 'when,pod,metric,value\n1,2,3,4' },
      ['-f', 'policy.yaml', '--samples', 'bad.csv'],
      ['bad.csv:1: the header lacks the column time', 'a column "when" that is not known'],
    ],
    [
      'samples without a sample',
      { 'bad.csv': HEADER },
      ['-f', 'policy.yaml', '--samples', 'bad.csv'],
      ['bad.csv: holds no sample'],
    ],
    [
      'OpenMetrics without times',
      { 'bad.txt': 'cpu_usage{pod="web-1"} 40\ncpu_usage{pod=web-1} 40 1767614400\n' },
      ['-f', 'policy.yaml', '--samples', 'bad.txt'],
      ['bad.txt:1: has no time', 'bad.txt:2: cannot read the labels'],
    ],
    [
      'a policy with two mistakes, and samples that are not there',
      { 'bad.yaml': POLICY.replace('Auto', 'Automatic').replace('Deployment', 'Pod') },
      ['-f', 'bad.yaml', '--samples', 'none.csv'],
      [
        'bad.yaml: AegisHealingPolicy web: spec.mode',
        'bad.yaml: AegisHealingPolicy web: spec.target.kind',
        'none.csv: cannot be read',
      ],
    ],
    [
      'a file without a policy',
      { 'bad.yaml': 'kind: ConfigMap' },
      ['-f', 'bad.yaml', '--samples', 'well.csv'],
      ['bad.yaml: holds no AegisHealingPolicy'],
    ],
    [
      'a file that is no YAML',
      { 'bad.yaml': 'spec: [' },
      ['-f', 'bad.yaml', '--samples', 'well.csv'],
      ['bad.yaml:1: is no YAML'],
    ],
    [
      'times and spans that are none',
      {},
      [...GOOD, '--from', 'noon', '--step', 'often'],
      ['--from: "noon" is no time', '--step: "often" is no span'],
    ],
    ['an end before the beginning', {}, [...GOOD, '--from', iso(100), '--to', iso(10)], ['--from: is not before --to']],
    ['no samples and no Prometheus', {}, ['-f', 'policy.yaml'], ['there is no Prometheus here']],
  ])('%s', async (_, files, argv, says) => {
    const { code, output } = await simulated(files, argv);
    expect(code).toBe(1);
    for (const part of says) expect(output).toContain(part);
  });

  test('a file of the wrong kind is told with twenty lines, not with a thousand', async () => {
    const { output } = await simulated({ 'bad.csv': `${HEADER}\n${'x,,,,,y\n'.repeat(1000)}` }, [
      '-f',
      'policy.yaml',
      '--samples',
      'bad.csv',
    ]);
    expect(output.split('\n').length).toBeLessThan(25);
    expect(output).toMatch(/and \d+ more like these/);
  });
});

describe('files that can', () => {
  test('an hour in which nothing was wrong: no incident, and what is not in the record is said', async () => {
    const { code, output } = await simulated({}, GOOD);
    expect(code).toBe(0);
    expect(output).toContain('No incident would have been opened.');
    expect(output).toContain('240 polls');
    expect(output).toContain('Restarts are not in the record');
  });

  test('quoted cells, empty values and columns in another order', () => {
    const read = readCsv(
      'a.csv',
      `value,metric,pod,time\n"1,5",a,p,${iso(0)}\n,a,p,${iso(1)}\n2,a,"p",${iso(2)}`,
      'shop',
    );
    expect(read.ok).toBe(false);
    const good = readCsv('a.csv', `value,metric,pod,time\n,a,p,${iso(1)}\n2,a,"p",${iso(2)}`, 'shop');
    expect(
      good.ok && good.value.map(({ namespace, pod, values }) => ({ namespace, pod, values: [...values] })),
    ).toEqual([{ namespace: 'shop', pod: 'p', values: [2] }]);
  });

  test('samples in any order are put in order, and the later line of one moment holds', () => {
    const read = readCsv('a.csv', `${HEADER}\n${iso(2)},,,p,a,3\n${iso(1)},,,p,a,1\n${iso(2)},,,p,a,4`, 'shop');
    expect(read.ok && read.value.map(({ timesMs, values }) => [[...timesMs], [...values]])).toEqual([
      [
        [T0 + 15_000, T0 + 30_000],
        [1, 4],
      ],
    ]);
  });

  test('OpenMetrics: presets, and what kube-state-metrics tells of the pods', () => {
    const text = [
      '# TYPE cpu_usage gauge',
      'cpu_usage{namespace="shop",pod="web-1"} 41.5 1767614400',
      'kube_pod_container_status_restarts_total{namespace="shop",pod="web-1",container="app"} 3 1767614400',
      'kube_pod_container_status_waiting_reason{namespace="shop",pod="web-1",container="app",reason="CrashLoopBackOff"} 1 1767614400',
      'kube_deployment_spec_replicas{namespace="shop",deployment="web"} 2 1767614400.5',
      'kube_pod_status_ready{namespace="shop",pod="web-1",condition="false"} 1 1767614400',
      '# EOF',
    ].join('\n');
    const read = readOpenMetrics('a.txt', text, 'default');
    expect(
      read.ok && read.value.map(({ metric, pod, workload, values }) => [metric, pod, workload, ...values]),
    ).toEqual([
      ['cpu_usage', 'web-1', undefined, 41.5],
      ['restarts_total', 'web-1', undefined, 3],
      ['waiting:CrashLoopBackOff', 'web-1', undefined, 1],
      ['replicas', undefined, 'web', 2],
    ]);
  });

  test.each([
    ['2026-01-05T12:00:00Z', T0],
    ['2026-01-05 13:00:00+01:00', T0],
    [String(T0 / 1000), T0],
    [String(T0), T0],
    ['2026-01-05', undefined],
    ['2026-01-05T12:00:00', undefined],
    ['', undefined],
  ])('time %p', (text, ms) => {
    expect(parseTime(text)).toBe(ms);
  });

  test.each([
    ['7d', T0 - 7 * 86_400_000],
    ['90s', T0 - 90_000],
    ['now', T0],
    ['soon', undefined],
  ])('moment %p', (text, ms) => {
    expect(parseMoment(text, T0)).toBe(ms);
  });
});
