import type { Store } from '../../../src/controller/store-ports.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import type { ManagedStore } from '../../../src/store/store.ts';
import type { World } from './world.ts';

/** Where a process meets its end: at its n-th write, before it is applied, after it without an answer, or after that. */
export interface Plan {
  readonly at: number;
  readonly when: 'before' | 'after' | 'replied';
}

/**
 * One process of the operator, as far as the world can tell: it reads, it writes, it sets timers. Killed, its timers
 * are gone, nothing of it reaches the world any more, and no answer reaches it.
 */
export class FakeProcess {
  readonly world: World;
  readonly name: string;
  readonly clock: Clock;
  readonly #timers = new Set<() => void>();
  readonly #atDeath: (() => void)[] = [];
  #isDead = false;
  #isDoomed = false;

  constructor(world: World, name: string) {
    this.world = world;
    this.name = name;
    const { clock } = world;
    this.clock = {
      nowMs: () => clock.nowMs(),
      monotonicMs: () => clock.monotonicMs(),
      after: (delayMs, run) => {
        if (this.#dies()) return () => undefined;
        const cancel = clock.after(delayMs, () => {
          this.#timers.delete(cancel);
          if (!this.#dies()) run();
        });
        this.#timers.add(cancel);
        return () => {
          this.#timers.delete(cancel);
          cancel();
        };
      },
    };
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  onDeath(run: () => void): void {
    this.#atDeath.push(run);
  }

  kill(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    for (const cancel of this.#timers) cancel();
    for (const run of this.#atDeath) run();
  }

  /** Something that changes the world: counted, so that a plan can strike at each. */
  async mutate<T>(what: string, apply: () => T | Promise<T>): Promise<T> {
    if (this.#dies()) return silence();
    const { world } = this;
    world.mutations.push(what);
    const plan = world.plan?.at === world.mutations.length ? world.plan : undefined;
    if (plan?.when === 'before') return this.#end();
    const result = await apply();
    if (plan?.when === 'after') return this.#end();
    // The answer arrives, and is the last that this process learns.
    if (plan?.when === 'replied') this.#isDoomed = true;
    world.afterMutation?.(world.mutations.length, this);
    return result;
  }

  async read<T>(look: () => T | Promise<T>): Promise<T> {
    if (this.#dies()) return silence();
    await Promise.resolve();
    const result = await look();
    return this.#isDead ? silence() : result;
  }

  #end(): Promise<never> {
    this.kill();
    return silence();
  }

  #dies(): boolean {
    if (this.#isDoomed) this.kill();
    return this.#isDead;
  }
}

const silence = <T>(): Promise<T> => new Promise<T>(() => undefined);

/** The shared store as one process reaches it. */
export function storeOf(process: FakeProcess, store: ManagedStore): Store {
  const { world } = process;
  let hasFailed = false;
  const working = <T>(run: () => Promise<T>) => {
    return async (): Promise<T> => {
      if (!world.isStoreDown) {
        const result = await run();
        hasFailed = false;
        return result;
      }
      hasFailed = true;
      throw new Error('disk full');
    };
  };
  const write = <T>(what: string, run: () => Promise<T>): Promise<T> => process.mutate(`store ${what}`, working(run));
  const read = <T>(run: () => Promise<T>): Promise<T> => process.read(working(run));
  return {
    appendHistory: (rows) => write(`history ${rows.map(({ id }) => id).join()}`, () => store.appendHistory(rows)),
    completeHistory: (id, outcome) => write(`outcome ${id}`, () => store.completeHistory(id, outcome)),
    history: (query) => read(() => store.history(query)),
    saveAction: (record) => write(`action ${record.name} ${record.state}`, () => store.saveAction(record)),
    actionsSince: (sinceMs) => read(() => store.actionsSince(sinceMs)),
    saveIncident: (incident) => write(`incident ${incident.id}`, () => store.saveIncident(incident)),
    openIncidents: () => read(() => store.openIncidents()),
    incidents: (limit) => read(() => store.incidents(limit)),
    takeTargetLease: (target, holder, nowMs, untilMs) =>
      write(`lease ${target}`, () => store.takeTargetLease(target, holder, nowMs, untilMs)),
    releaseTargetLease: (target, holder) => write(`release ${target}`, () => store.releaseTargetLease(target, holder)),
    saveBlob: (key, bytes) => write(`blob ${key}`, () => store.saveBlob(key, bytes)),
    loadBlob: (key) => read(() => store.loadBlob(key)),
    recordPrediction: (prediction) => store.recordPrediction(prediction),
    predictions: (limit, after) => read(() => store.predictions(limit, after)),
    predictionStats: (nowMs) => read(() => store.predictionStats(nowMs)),
    // As the real one: a trouble is known once a write has met it, and over once the store can be reached.
    healthy: () => !(world.isStoreDown && hasFailed),
    close: () => Promise.resolve(),
  };
}
