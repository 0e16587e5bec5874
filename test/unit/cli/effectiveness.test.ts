import { describe, expect, test } from '@jest/globals';
import { SUBCOMMANDS } from '../../../src/cli/commands/all.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { err, ok } from '../../../src/lib/result.ts';
import { aTerminal } from '../../support/builders/cli.ts';

const SERVER = ['--server', 'http://127.0.0.1:8000'];
const RESET = {
  ...{ at: '2026-01-05T12:30:00.000Z', by: 'key:kim', reason: 'new node pool' },
  ...{ failure_type: null, action: 'scale_up', workload_kind: null },
};
const ANSWER = {
  effectiveness: [
    {
      ...{ failure_type: 'traffic_surge', action: 'scale_up', workload_kind: 'Deployment' },
      ...{ incidents: 8, helped: 6.5, estimate: 8.5 / 12, used: 8.5 / 12 },
    },
  ],
  resets: [RESET],
};

async function run(argv: readonly string[], answer: unknown = ANSWER) {
  const asked: unknown[] = [];
  const { services, output, stdout } = aTerminal(
    {},
    {
      openRest: ({ url }) => ({
        get: (path) =>
          Promise.resolve(answer instanceof Error ? err(answer.message) : (asked.push([url, path]), ok(answer))),
        post: (path, body) => Promise.resolve((asked.push([url, path, body]), ok(RESET))),
      }),
    },
  );
  const code = await runProgram(['effectiveness', ...argv], services, SUBCOMMANDS);
  return { code, output: output(), stdout: stdout(), asked };
}

describe('aegis effectiveness', () => {
  test('shows what was learnt as a table, and who made it forget what', async () => {
    const { code, stdout, asked } = await run(SERVER);
    expect(code).toBe(0);
    expect(asked).toEqual([['http://127.0.0.1:8000', '/api/v1/effectiveness']]);
    expect(stdout).toMatch(/traffic_surge +scale_up +Deployment +8 +6.5 +0.71 +0.71/);
    expect(stdout).toContain('forgotten 2026-01-05T12:30:00.000Z by key:kim: scale_up: new node pool');
  });

  test('as JSON it is what simulate reads', async () => {
    expect(JSON.parse((await run([...SERVER, '--json'])).stdout)).toEqual(ANSWER);
  });

  test('nothing was learnt: it says so', async () => {
    expect((await run(SERVER, { effectiveness: [], resets: [] })).stdout).toContain('No effect was tried');
  });

  test('reset: what, why, and who it stands under', async () => {
    const { code, stdout, asked } = await run([
      'reset',
      ...SERVER,
      '--action',
      'scale_up',
      '--reason',
      'new node pool',
    ]);
    expect(code).toBe(0);
    expect(asked).toEqual([
      ['http://127.0.0.1:8000', '/api/v1/effectiveness/reset', { action: 'scale_up', reason: 'new node pool' }],
    ]);
    expect(stdout).toContain('key:kim');
  });

  test.each<[what: string, argv: readonly string[], answer: unknown, code: number, says: string]>([
    ['no server', [], ANSWER, 2, '--server'],
    ['a reset without a reason', ['reset', ...SERVER], ANSWER, 2, '--reason'],
    [
      'an effect that is none',
      ['reset', ...SERVER, '--action', 'alert_admin', '--reason', 'x'],
      ANSWER,
      2,
      'alert_admin',
    ],
    ['a server that does not answer', SERVER, new Error('no answer'), 1, 'no answer'],
    ['a server of another version', SERVER, { effects: [] }, 1, 'not this version'],
  ])('%s', async (_what, argv, answer, code, says) => {
    const result = await run(argv, answer);
    expect(result.code).toBe(code);
    expect(result.output).toContain(says);
  });
});

describe('simulate --effectiveness', () => {
  test.each([
    ['a file that is not there', undefined, 'cannot be read'],
    ['no JSON', 'nonsense', 'is no JSON'],
    ['something else', '{"actions": []}', 'aegis effectiveness --server URL --json'],
  ])('%s is told with what is wrong', async (_what, text, says) => {
    const policy = 'kind: AegisHealingPolicy\nmetadata: {name: a}\nspec: {target: {kind: Deployment, name: a}}\n';
    const { services, output } = aTerminal({ 'p.yaml': policy, ...(text !== undefined && { 'l.json': text }) });
    const argv = ['simulate', '-f', 'p.yaml', '--effectiveness', 'l.json'];
    expect(await runProgram(argv, services, SUBCOMMANDS)).toBe(1);
    expect(output()).toContain('l.json');
    expect(output()).toContain(says);
  });
});
