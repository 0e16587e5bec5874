import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { loadScenario, scenarioFiles } from '../../../tools/scenarios/load.ts';
import { play } from '../../../tools/scenarios/play.ts';

jest.setTimeout(120_000);

const FOLDER = join(import.meta.dirname, '..', '..', '..', 'scenarios');
const FILES = scenarioFiles(FOLDER);

/** Played here: what other healers were measured on, and one of each kind. `npm run scenarios` plays all. */
const PLAYED = [
  'fault/leak-in-one-of-three',
  'fault/overload-of-all',
  'fault/crash-loop-in-one',
  'fault/bad-image',
  'brake/full-disruption-budget',
  'brake/storm-of-twenty',
  'control/deploy',
  'control/prometheus-unreachable',
  'fault/does-not-help',
  'refusal/memory-leak-scale-up',
  'refusal/crash-loop-second-restart',
  'fault/cache-grows',
  'fault/surge-at-maximum',
  'fault/certificate-renewed',
  'fault/callee-down',
  'ownership/hpa',
  'ownership/reverted',
  'brake/kill-switch',
  'people/approved',
  'trouble/lost-answer',
  'fault/leak-two-of-five',
  'fault/overload-step-of-four',
  'fault/crash-of-a-sidecar',
  'fault/bad-image-on-a-rolling-update',
  'brake/pdb-full-then-free',
  'brake/storm-of-sixty',
  'control/outage-then-a-burst',
  'people/policy-deleted-while-a-limit-stands',
];

function loaded(file: string) {
  const scenario = loadScenario(file);
  if (!scenario.ok) throw new Error(`${file}:\n${scenario.error.join('\n')}`);
  return scenario.value;
}

describe('scenarios go as they must', () => {
  test.each(PLAYED)('%s', async (name) => {
    expect((await play(loaded(join(FOLDER, `${name}.yaml`)))).failures).toEqual([]);
  });
});

describe('the collection', () => {
  const all = FILES.map((file) => loaded(file).scenario);

  test('every file can be read, and no sentence stands twice', () => {
    expect(new Set(all.map(({ name }) => name)).size).toBe(FILES.length);
  });

  test('there are at least 60, and 20 of them are controls in which no effect is allowed', () => {
    const controls = all.filter(({ group }) => group === 'control');
    expect(all.length).toBeGreaterThanOrEqual(60);
    expect(controls.length).toBeGreaterThanOrEqual(20);
    expect(controls.map(({ forbid }) => forbid.effects)).toEqual(controls.map(() => 'any'));
  });

  test('every file of the list is there', () => {
    for (const name of PLAYED) expect(FILES).toContain(join(FOLDER, `${name}.yaml`));
  });
});

describe('a file that cannot be used says everything that is wrong with it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'aegis-scenario-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const START = 'name: x\ngroup: fault\nlastsSeconds: 60\ncluster: { workloads: [{ name: web }] }\n';
  const POLICY = 'policies: [{ metadata: { name: web }, spec: { target: { kind: Deployment, name: web } } }]\n';

  test.each([
    ['no YAML', 'name: [', ['line 1: is no YAML']],
    [
      'fields that are missing or wrong',
      'name: x\ngroup: weather\n',
      ['line 2, group: "weather" is none', 'lastsSeconds: is missing: a number of seconds', 'cluster: ', 'policies: '],
    ],
    [
      'an event that nobody knows',
      `${START}${POLICY}events: [{ at: 1, do: explode }]`,
      ['line 6, events[0].do: "explode" is none: it may be metric, no-series'],
    ],
    [
      'a curve without its numbers',
      `${START}${POLICY}events: [{ at: 1, do: metric, workload: web, metric: cpu_usage, course: { shape: ramp } }]`,
      ['events[0].course.perSecond: is missing: a number'],
    ],
    [
      'a policy that the API server would refuse',
      `${START}policies: [{ metadata: { name: web }, spec: { mode: Always, target: { kind: Pod, name: web } } }]`,
      ['policies[0].spec.mode: ', 'policies[0].spec.target.kind: '],
    ],
    [
      'names of nothing',
      `${START}${POLICY}events: [{ at: 1, do: crash, workload: wob }]\nexpect: { replicas: { wab: 3 } }`,
      [
        'line 6, events[0].workload: "wob": there is no such workload: did you mean "web"?',
        'line 7, expect.replicas.wab: "wab": there is no such workload: did you mean "web"?',
      ],
    ],
    ['a field that is not known', `${START}${POLICY}forbidden: {}`, ['line 6, forbidden: is no field here']],
    [
      'a field with another name',
      `${START}${POLICY}forbids: {}`,
      ['forbids: is no field here: did you mean "forbid"?'],
    ],
    ['nothing', '# later', ['is no scenario: it must be a map with name']],
    ['a list', '- name: x', ['is no scenario: it must be a map with name']],
    ['two scenarios', `${START}${POLICY}---\n${START}`, ['a second document begins: one file holds one scenario']],
    [
      'units that are not numbers',
      'name: x\ngroup: fault\nlastsSeconds: 10m\ncluster: { workloads: [{ name: web, limits: { cpu: 500m, memory: 64Mi } }] }\n',
      [
        'lastsSeconds: "10m" must be a number of seconds, such as 600',
        'limits.cpu: "500m" must be a number, such as 0.5',
      ],
    ],
    [
      'a field of a policy that the API server would drop',
      `${START}policies: [{ metadata: { name: web }, spec: { target: { kind: Deployment, name: web }, detection: { interval: 5 } } }]`,
      ['line 5, policies[0].spec.detection.interval: is no field here: did you mean "intervalSeconds"?'],
    ],
    [
      'a policy for nothing',
      `${START}policies: [{ metadata: { name: web }, spec: { target: { kind: Deployment, name: wbe } } }]`,
      ['policies[0].spec.target.name: "wbe": policy web is for a workload that the scenario does not have'],
    ],
    [
      'pods, metrics and nodes that are not there, and an event after the end',
      `${START}${POLICY}events:
  - { at: 1, do: crash, workload: web, pods: [7] }
  - { at: 1, do: metric, workload: web, metric: cpu, course: { shape: add, value: 1 } }
  - { at: 1, do: node, name: node-b, set: {} }
  - { at: 90, do: recover, workload: web }`,
      [
        'events[0].pods: 7: web has 3 pods, counted from 0 to 2',
        'events[1].metric: "cpu": pods of web show no such metric',
        'events[2].name: "node-b": there is no such node: did you mean "node-a"?',
        'events[3].at: 90 is after the end, at 60',
      ],
    ],
    [
      'demands that can never be met, though the rest is wrong as well',
      `name: x\ngroup: fault\ncluster: { workloads: [{ name: web }] }\n${POLICY}expect: { effects: [kill web-1], actions: [restart_pod Done], held: [restart_pod Storm], failureType: leak, conditions: { web: { Happy: 'True *' } } }`,
      [
        'lastsSeconds: is missing',
        'expect.effects[0]: "kill" never happens',
        'expect.actions[0]: "Done" never happens',
        'expect.held[0]: "Storm" never happens: did you mean "StormActive"?',
        'expect.failureType: "leak": is no failure type',
        'expect.conditions.web.Happy: "Happy": is no condition of a policy',
      ],
    ],
  ])('%s', (_, text, says) => {
    const file = join(folder, 'scenario.yaml');
    writeFileSync(file, text);
    const read = loadScenario(file);
    const problems = read.ok ? '' : read.error.join('\n');
    for (const part of says) expect(problems).toContain(part);
  });

  test('a folder of others is found whole, whatever is below it', () => {
    expect(scenarioFiles(folder)).toEqual(readdirSync(folder).map((name) => join(folder, name)));
  });

  test('a scenario that demands what does not happen fails, with a sentence for each demand', async () => {
    const file = join(folder, 'never.yaml');
    writeFileSync(
      file,
      `${START}${POLICY}expect: { effects: [evict web-1], alerts: { atLeast: 1 }, replicas: { web: 4 }, held: [restart_pod Paused] }`,
    );
    const { failures } = await play(loaded(file));
    expect(failures).toEqual([
      'effects: none, not evict web-1',
      'not held back: restart_pod Paused; held back: none',
      'replicas of web: 3, not 4',
      '0 alerts, not 1 to 1000: none',
    ]);
  });
});
