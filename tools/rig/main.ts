/** `npm run rig -- up | build | down | status | gc`: the rig from the command line. README.md beside this file. */
import { parseArgs } from 'node:util';
import { ensureBinaries, ensureHelm } from './binaries.ts';
import { endRig, isAlive, readDaemons } from './processes.ts';
import { connectContext, createKindCluster } from './external.ts';
import { startRig } from './rig.ts';
import { collectGarbage, findStateDir, listStateDirs, readFacts } from './state-dir.ts';

const USAGE = `usage: npm run rig -- COMMAND

  up [--nodes N] [--keep]   start a rig; runs until Ctrl-C, or stays with --keep
  up --context NAME         use a cluster of your kubeconfig instead; starts nothing
     --prometheus-url URL   the Prometheus that scrapes it (or PROMETHEUS_URL)
  up --kind NAME            create a kind cluster where Docker runs, then as --context
  build [--helm]            find or build the binaries, nothing else
  status                    the rigs of this user
  down [NAME...]            end kept rigs: the named ones, or all
  gc                        end what a crash has left behind
`;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const log = (line: string): void => void process.stderr.write(`${line}\n`);

async function up(nodes: number, keep: boolean): Promise<void> {
  await collectGarbage();
  const started = Date.now();
  const rig = await startRig({ nodes, keep, log });
  say(`rig up in ${((Date.now() - started) / 1000).toFixed(1)} s with ${nodes} nodes`);
  say(`export KUBECONFIG=${rig.kubeconfigPath}`);
  say(`export PATH=${rig.kubectlPath.replace(/\/kubectl$/, '')}:$PATH`);
  say(`API server  ${rig.apiServerUrl}`);
  say(`Prometheus  ${rig.prometheusUrl}`);
  say(`exporter    ${rig.exporterUrl}`);
  if (keep) {
    say(`it stays; end it with: npm run rig -- down ${rig.stateDir}`);
    return;
  }
  say('Ctrl-C ends it');
  await untilSignal();
  await rig.stop();
  process.exit(0);
}

async function upExternal(context: string, prometheusUrl: string): Promise<void> {
  const cluster = await connectContext({ context, prometheusUrl, log });
  say(`connected to ${cluster.apiServerUrl}`);
  say(`export KUBECONFIG=${cluster.kubeconfigPath}`);
  say(`Prometheus  ${cluster.prometheusUrl}`);
  say('Ctrl-C removes this copy of the credentials; the cluster stays as it is');
  await untilSignal();
  await cluster.stop();
  process.exit(0);
}

async function untilSignal(): Promise<void> {
  await new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
    setInterval(() => undefined, 60_000); // a signal handler alone does not keep node running
  });
}

function status(): void {
  for (const stateDir of listStateDirs()) {
    const facts = readFacts(stateDir);
    const daemons = readDaemons(stateDir).map((each) => `${each.name}${isAlive(each) ? '' : ' (dead)'}`);
    say(`${stateDir}${facts?.isKept === true ? ' (kept)' : ''}: ${daemons.join(', ')}`);
    if (facts !== undefined) say(`  KUBECONFIG=${facts.kubeconfigPath} Prometheus ${facts.prometheusUrl}`);
  }
}

/** Without names only kept rigs: one that still has an owner, perhaps a running test, ends with that owner. */
async function down(names: readonly string[]): Promise<void> {
  const kept = (stateDir: string): boolean => readFacts(stateDir)?.isKept === true;
  const wanted = names.length > 0 ? names.map(findStateDir) : listStateDirs().filter(kept);
  for (const [i, stateDir] of wanted.entries()) {
    if (stateDir === undefined) throw new Error(`no rig ${names[i] ?? ''}`);
    await endRig(stateDir);
    say(`${stateDir} ended`);
  }
  if (wanted.length === 0) say('no kept rig');
}

async function build(withHelm: boolean): Promise<void> {
  for (const [name, path] of Object.entries(await ensureBinaries(log))) say(`${name}: ${path}`);
  if (withHelm) say(`helm: ${await ensureHelm(log)}`);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    nodes: { type: 'string', default: '3' },
    keep: { type: 'boolean', default: false },
    helm: { type: 'boolean', default: false },
    context: { type: 'string' },
    kind: { type: 'string' },
    'prometheus-url': { type: 'string', default: process.env['PROMETHEUS_URL'] ?? '' },
  },
});
const [command, ...names] = positionals;

switch (command) {
  case 'up': {
    const context = values.kind === undefined ? values.context : await createKindCluster(values.kind);
    if (context !== undefined) await upExternal(context, values['prometheus-url']);
    else await up(Number(values.nodes), values.keep);
    break;
  }
  case 'build':
    await build(values.helm);
    break;
  case 'status':
    status();
    break;
  case 'down':
    await down(names);
    break;
  case 'gc':
    for (const stateDir of await collectGarbage()) say(`${stateDir} ended`);
    break;
  default:
    process.stderr.write(USAGE);
    process.exitCode = 2;
}
