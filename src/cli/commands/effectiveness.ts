import { Option, type Command } from 'commander';
import { z } from 'zod';
import { FAILURE_TYPES } from '../../diagnosis/failure-type.ts';
import { effectivenessAnswer, resetAnswer } from '../../http/schemas/responses.ts';
import { err, ok, type Result } from '../../lib/result.ts';
import { WORKLOAD_KINDS } from '../../lib/workload.ts';
import { EFFECTS } from '../../policy/action.ts';
import type { Subcommand } from '../command.ts';
import type { Services } from '../services.ts';
import { table } from '../table.ts';

const EXAMPLES = `
Examples:
  aegis effectiveness --server http://127.0.0.1:8000
  aegis effectiveness --server http://127.0.0.1:8000 --json > learnt.json
  aegis simulate -f policy.yaml --from 7d --effectiveness learnt.json
  aegis effectiveness reset --server http://127.0.0.1:8000 --action scale_up --reason "new node pool"

The key is taken from AEGIS_API_KEY: scope read, for a reset admin. Only steps of a ladder that share a group are put in order by it.`;

interface Options {
  readonly server: string;
  readonly json?: boolean;
}

interface ResetOptions extends Options {
  readonly failureType?: string;
  readonly action?: string;
  readonly kind?: string;
  readonly reason: string;
}

/** `aegis effectiveness`: how often each effect helped; `aegis effectiveness reset`: forget it. */
export const effectivenessCommand: Subcommand = (program, { services, ended }) => {
  const command = program
    .command('effectiveness')
    .description('How often each effect helped, by failure type and kind of workload')
    .requiredOption('--server <url>', 'REST API of Aegis')
    .option('--json', 'the whole answer as JSON; simulate reads it')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Options) => {
      const answer = await read(options, services);
      if (!answer.ok) services.terminal.err(`${answer.error}\n`);
      else
        services.terminal.out(
          options.json === true ? `${JSON.stringify(answer.value, null, 2)}\n` : text(answer.value),
        );
      ended(answer.ok ? 0 : 1);
    });
  command
    .command('reset')
    .description('Forget what was learnt until now; without a filter, of every effect')
    .addOption(new Option('--failure-type <type>', 'of this failure type only').choices(FAILURE_TYPES))
    .addOption(new Option('--action <action>', 'of this effect only').choices(EFFECTS))
    .addOption(new Option('--kind <kind>', 'on this kind of workload only').choices(WORKLOAD_KINDS))
    .requiredOption('--reason <text>', 'why; it is kept in the history beside the name of your key')
    .action(async (_own: object, self: Command) => {
      const done = await reset(self.optsWithGlobals<ResetOptions>(), services);
      if (done.ok) services.terminal.out(`${done.value}\n`);
      else services.terminal.err(`${done.error}\n`);
      ended(done.ok ? 0 : 1);
    });
};

type Answer = z.output<typeof effectivenessAnswer>;

async function read({ server }: Options, services: Services): Promise<Result<Answer, string>> {
  const reply = await services.openRest({ url: server }).get('/api/v1/effectiveness');
  return reply.ok ? parsed(reply.value, effectivenessAnswer) : reply;
}

async function reset(options: ResetOptions, services: Services): Promise<Result<string, string>> {
  const { server, reason, failureType, action, kind } = options;
  const reply = await services.openRest({ url: server }).post('/api/v1/effectiveness/reset', {
    reason,
    ...(failureType !== undefined && { failure_type: failureType }),
    ...(action !== undefined && { action }),
    ...(kind !== undefined && { workload_kind: kind }),
  });
  const answer = reply.ok ? parsed(reply.value, resetAnswer) : reply;
  return answer.ok ? ok(`forgotten: ${said(answer.value)}`) : answer;
}

function parsed<T extends z.ZodType>(value: unknown, schema: T): Result<z.output<T>, string> {
  const read = schema.safeParse(value);
  return read.success ? ok(read.data) : err(`the answer is not this version's: ${z.prettifyError(read.error)}`);
}

function text({ effectiveness, resets }: Answer): string {
  const rows = effectiveness.map((of) => [
    ...[of.failure_type, of.action, of.workload_kind, String(of.incidents), String(Math.round(of.helped * 10) / 10)],
    ...[of.estimate.toFixed(2), of.used.toFixed(2)],
  ]);
  const header = ['FAILURE', 'ACTION', 'KIND', 'INCIDENTS', 'HELPED', 'ESTIMATE', 'USED'];
  return [
    rows.length === 0
      ? 'No effect was tried and judged in the last 90 days, or since it was reset.'
      : table([header, ...rows]),
    ...resets.map((each) => `forgotten ${said(each)}`),
    '',
  ].join('\n');
}

function said({ at, by, reason, failure_type, action, workload_kind }: z.output<typeof resetAnswer>): string {
  const of = [failure_type, action, workload_kind].filter((each) => each !== null).join(', ');
  return `${at} by ${by}: ${of === '' ? 'every effect' : of}: ${reason}`;
}
