import type { Command } from 'commander';
import { WORKLOAD_KINDS } from '../../lib/workload.ts';
import type { Run, Subcommand } from '../command.ts';
import { explanationOf, type Explanation, type WorkloadName } from '../explain/explanation.ts';
import { whyNotText, whyText } from '../explain/explanation-text.ts';
import { decisionsOf, fromCluster } from '../explain/gather.ts';
import { parseMoment } from '../simulate/sample-time.ts';

interface Options {
  readonly at?: string;
  readonly namespace?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly server?: string;
  readonly json?: boolean;
}

const HELP = `
Examples:
  aegis explain checkout -n shop
  aegis why-not deployment/checkout -n shop --at 2026-01-05T12:30:00Z
  aegis why-not checkout -n shop --server http://127.0.0.1:8000 --json

Reads AegisHealingPolicies and AegisHealingActions with your own kubectl login. With --server (key in AEGIS_API_KEY) also the decisions
to wait and the rungs that were passed over, which have no object of their own.`;

/** `aegis explain WORKLOAD`: what was done, on which evidence, and what came of it. */
export const explainCommand: Subcommand = (program, run) => {
  define(program, run, {
    name: 'explain',
    description: 'Why something was done to a workload: decision, evidence, course, measured effect',
    text: whyText,
  });
};

/** `aegis why-not WORKLOAD`: what holds, with its numbers, and when it is looked at again. */
export const whyNotCommand: Subcommand = (program, run) => {
  define(program, run, {
    name: 'why-not',
    description: 'Why nothing, or nothing else, was done to a workload: guards that held, with their numbers',
    text: whyNotText,
  });
};

interface Kind {
  readonly name: string;
  readonly description: string;
  readonly text: (explanation: Explanation) => string;
}

function define(program: Command, { services, ended }: Run, { name, description, text }: Kind): void {
  program
    .command(`${name} <workload>`)
    .description(description)
    .option('--at <time>', 'the moment in question: RFC 3339, or a span back from now such as 2h (default: now)')
    .option('-n, --namespace <name>', 'default: that of the login')
    .option('--kubeconfig <file>', 'default: KUBECONFIG, or ~/.kube/config')
    .option('--context <name>', 'default: the current one')
    .option('--server <url>', 'REST API of Aegis, for decisions that made no object')
    .option('--json', 'the whole answer as JSON')
    .addHelpText('after', HELP)
    .action(async (workload: string, options: Options) => {
      const answer = await answerOf(workload, options, services);
      if (typeof answer === 'string') {
        services.terminal.err(`${answer}\n`);
        ended(1);
        return;
      }
      for (const remark of answer.remarks) services.terminal.err(`${remark}\n`);
      const { explanation } = answer;
      services.terminal.out(options.json === true ? `${JSON.stringify(explanation, null, 2)}\n` : text(explanation));
      ended(0);
    });
}

interface Answer {
  readonly explanation: Explanation;
  readonly remarks: readonly string[];
}

/** A text is the reason why there is no answer. */
async function answerOf(text: string, options: Options, services: Run['services']): Promise<Answer | string> {
  const nowMs = services.terminal.nowMs();
  const atMs = options.at === undefined ? nowMs : parseMoment(options.at, nowMs);
  const workload = workloadName(text);
  if (atMs === undefined) return `--at: ${JSON.stringify(options.at)} is no time; write 2026-01-05T12:30:00Z or 2h`;
  if (typeof workload === 'string') return workload;
  const cluster = await services.openCluster(options);
  if (!cluster.ok) return cluster.error;
  const namespace = options.namespace ?? cluster.value.namespace ?? 'default';
  const known = await fromCluster(cluster.value, namespace);
  cluster.value.close();
  if (!known.ok) return known.error;
  const told =
    options.server === undefined ? undefined : await decisionsOf(services.openRest({ url: options.server }), namespace);
  const remarks = [...known.value.remarks, ...(told?.ok === false ? [told.error] : [])];
  const decisions = told?.ok === true ? told.value : [];
  const explanation = explanationOf({ ...known.value, decisions }, workload, atMs);
  if (explanation !== undefined) return { explanation, remarks };
  return `nothing is known of ${text} in namespace ${namespace}: no policy names it, and nothing was done to it in the 24 hours before`;
}

function workloadName(text: string): WorkloadName | string {
  const parts = text.split('/');
  const [first = '', second] = parts;
  if (parts.length > 2 || first === '' || second === '') return `${JSON.stringify(text)}: write NAME or KIND/NAME`;
  if (second === undefined) return { name: first };
  const kind = WORKLOAD_KINDS.find((each) => each.toLowerCase() === first.toLowerCase());
  return kind === undefined
    ? `kind ${JSON.stringify(first)}: one of ${WORKLOAD_KINDS.join(', ')}`
    : { kind, name: second };
}
