import { freePorts } from '../rig/ports.ts';
import { startRig, type Rig } from '../rig/rig.ts';
import { observe, type Seen, type SeenAction } from './observer.ts';
import { startOperator, type OperatorProcess } from './operator-process.ts';
import { CHAPTERS, CONTROLS, NAMESPACE, type Chapter } from './story.ts';
import { seconds } from './table.ts';

/** What was done to a workload, and when. */
export interface Injection {
  readonly chapter: Chapter;
  readonly atMs: number;
}

const LEARN_LIMIT_MS = 300_000;
const CHAPTER_LIMIT_MS = 240_000;
/** Long enough for a second, unwanted effect to show. */
const SETTLE_MS = 20_000;
const ENDS = ['Healed', 'Ineffective', 'RolledBack', 'Failed', 'Denied', 'Expired', 'Superseded'];

/** The rig, the operator on it, and a live line of what happens. */
export class Stage {
  readonly rig: Rig;
  readonly injections: Injection[] = [];
  #operator: OperatorProcess | undefined;
  #port = 0;
  #line = '';

  private constructor(rig: Rig) {
    this.rig = rig;
  }

  static async open(options: { readonly keep: boolean }): Promise<Stage> {
    return new Stage(await startRig({ nodes: 3, keep: options.keep }));
  }

  async startOperator(): Promise<void> {
    const [port = 0] = this.#port === 0 ? await freePorts(1) : [this.#port];
    this.#port = port;
    const { kubeconfigPath, prometheusUrl, stateDir } = this.rig;
    this.#operator = startOperator({ kubeconfigPath, prometheusUrl, stateDir, port, rigStateDir: stateDir });
    await this.#operator.ready();
    this.say(`operator: pid ${this.#operator.pid}, REST on ${this.#operator.url}, log ${this.#operator.logFile}`);
  }

  async untilLearned(): Promise<void> {
    await this.#until('learning', LEARN_LIMIT_MS, (seen) => {
      const names = [...CHAPTERS.map(({ workload }) => workload), ...CONTROLS];
      const learned = names.filter((name) => seen.learned[name] === true).length;
      this.#progress(`learning what is normal: ${learned}/${names.length} workloads`);
      return learned === names.length;
    });
  }

  async play(chapter: Chapter, options: { readonly kill: boolean }): Promise<void> {
    await this.#inject(chapter);
    const { atMs } = this.injections.at(-1) ?? { atMs: Date.now() };
    let toKill = options.kill;
    await this.#until(chapter.fault, CHAPTER_LIMIT_MS, async (seen) => {
      const actions = seen.actions.filter(({ workload }) => workload === chapter.workload);
      this.#progress(
        `${chapter.workload}: ${chapter.fault}, ${seconds(Date.now() - atMs)}: ${storyOf(seen, chapter, actions)}`,
      );
      const effect = actions.find(({ action }) => action === chapter.expected);
      if (toKill && effect?.executedMs !== undefined) {
        toKill = false;
        await this.#killAndRestart();
      }
      return effect !== undefined && ENDS.includes(effect.state);
    });
  }

  /** Waits a while longer: an effect too many would come now. */
  async settle(): Promise<void> {
    const until = Date.now() + SETTLE_MS;
    await this.#until('settling', SETTLE_MS + 10_000, () => {
      this.#progress(`watching that nothing more is done: ${seconds(Math.max(0, until - Date.now()))}`);
      return Date.now() >= until;
    });
  }

  look(): Promise<Seen> {
    return observe(this.rig.kubectl, NAMESPACE);
  }

  async close(): Promise<void> {
    await this.#operator?.stop();
    await this.rig.stop();
  }

  tellWhereItRuns(namespace: string): void {
    const { kubeconfigPath, prometheusUrl } = this.rig;
    this.say(
      [
        `export KUBECONFIG=${kubeconfigPath}`,
        `kubectl get ahp,aha,agr -n ${namespace}`,
        `REST API and docs: ${this.#operator?.url ?? ''}/docs`,
        `Prometheus:        ${prometheusUrl}`,
        `end it with:       kill ${this.#operator?.pid ?? 0}; npm run rig -- down ${this.rig.stateDir}`,
      ].join('\n'),
    );
  }

  say(text: string): void {
    if (process.stdout.isTTY && this.#line !== '') process.stdout.write('\r\x1b[2K');
    this.#line = '';
    process.stdout.write(`${text}\n`);
  }

  async #inject({ workload, inject, fault, ...rest }: Chapter): Promise<void> {
    const { kubectl, metrics } = this.rig;
    const selector = [
      'get',
      'pods',
      '-n',
      NAMESPACE,
      '-l',
      `app=${workload}`,
      '-o',
      'jsonpath={.items[0].metadata.name}',
    ];
    const pod = (await kubectl(selector)).trim();
    if (inject.kind === 'pod-load') await metrics.addFault(NAMESPACE, workload, { ...inject.fault, pods: [pod] });
    if (inject.kind === 'load') await metrics.addFault(NAMESPACE, workload, inject.fault);
    if (inject.kind === 'pod-label') await kubectl(['label', 'pod', pod, '-n', NAMESPACE, inject.label]);
    this.injections.push({ chapter: { workload, inject, fault, ...rest }, atMs: Date.now() });
    this.say(`injected: ${fault} (${workload}${inject.kind === 'load' ? '' : `, pod ${pod}`})`);
  }

  async #killAndRestart(): Promise<void> {
    this.say('operator: killed with SIGKILL');
    this.#operator?.signal('SIGKILL');
    await this.#operator?.ended;
    await this.startOperator();
  }

  async #until(what: string, limitMs: number, isDone: (seen: Seen) => boolean | Promise<boolean>): Promise<void> {
    const deadline = Date.now() + limitMs;
    while (Date.now() < deadline) {
      if (await isDone(await this.look())) return;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    this.say(`${what}: not within ${seconds(limitMs)}`);
  }

  /** One live line on a terminal; elsewhere a line whenever its text, without the clock, changes. */
  #progress(text: string): void {
    const bare = text.replace(/\d+(\.\d+)? s/g, '');
    if (process.stdout.isTTY) process.stdout.write(`\r\x1b[2K${text.slice(0, process.stdout.columns - 1)}`);
    else if (bare !== this.#line) process.stdout.write(`${text}\n`);
    this.#line = bare;
  }
}

function storyOf(seen: Seen, chapter: Chapter, actions: readonly SeenAction[]): string {
  const latest = actions.toSorted((a, b) => b.decidedMs - a.decidedMs)[0];
  if (latest !== undefined) return `${latest.failureType}, ${latest.action}: ${latest.state}`;
  const incident = seen.incidents.find(({ workload }) => workload.endsWith(chapter.workload));
  return incident === undefined ? 'not yet detected' : `${incident.failureType}: ${incident.reason}`;
}
