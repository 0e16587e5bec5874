import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { AnomalyAnswer, DetectionService, MetricSample } from '../../../src/controller/detection-api.ts';
import { createDetectionService } from '../../../src/controller/detection-service.ts';
import { createModelKeeper, type ModelKeeper } from '../../../src/controller/model-keeper.ts';
import { modelKey } from '../../../src/controller/stored-models.ts';
import { createEngine } from '../../../src/detection/engine.ts';
import { SNAPSHOT_VERSION } from '../../../src/detection/state/snapshot.ts';
import { createSqliteStore, type ManagedStore } from '../../../src/store/store.ts';
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { recordedLog, recordedMetrics, type RecordedLog } from '../../support/recorders.ts';

const OWN = modelKey('engine/rest', SNAPSHOT_VERSION);
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

interface Program {
  readonly service: DetectionService;
  readonly keeper: ModelKeeper;
  readonly log: RecordedLog;
}

/** The part of the program that learns from REST calls, on a store that outlives it. */
function aProgram(store: Pick<ManagedStore, 'saveBlob' | 'loadBlob'>, clock: FakeClock): Program {
  const engine = createEngine({ seed: 7 });
  const service = createDetectionService({
    ...{ anomalyThreshold: 0.85, minSamples: 30, failureWindowMs: 5 * MINUTE },
    ...{ engine, scratch: createEngine({ seed: 7 }) },
  });
  const log = recordedLog();
  const keeper = createModelKeeper({
    ...{ engine: service.memory, store, key: 'engine/rest', learnt: () => service.facts().samples, clock, log },
  });
  return { service, keeper, log };
}

const aStore = (clock: FakeClock): Promise<ManagedStore> =>
  createSqliteStore({ file: ':memory:', clock, log: recordedLog(), metrics: recordedMetrics() });

const sample = (value: number, atMs: number, pod = 'web-1'): MetricSample => ({
  metricType: 'response_time',
  value,
  atMs,
  labels: { pod },
});

const ask = ({ service }: Program, value: number, clock: FakeClock, pod?: string): AnomalyAnswer => {
  clock.advance(15 * SECOND);
  return service.detectAnomaly({ metrics: [sample(value, clock.nowMs(), pod)] }, clock.nowMs());
};

describe('the models of the detection API', () => {
  test('a restart changes no answer, whatever was learnt before and is asked after', async () => {
    const value = fc.double({ min: 1, max: 2_000, noNaN: true });
    await fc.assert(
      fc.asyncProperty(
        fc.array(value, { minLength: 1, maxLength: 120 }),
        fc.array(value, { minLength: 1, maxLength: 5 }),
        async (before, after) => {
          const answers = async (restarts: boolean): Promise<readonly AnomalyAnswer[]> => {
            const clock = fakeClock();
            const store = await aStore(clock);
            let program = aProgram(store, clock);
            await program.keeper.start();
            for (const each of before) ask(program, each, clock);
            if (restarts) {
              await program.keeper.stop();
              program = aProgram(store, clock);
              await program.keeper.start();
            }
            const given = after.map((each) => ask(program, each, clock));
            await program.keeper.stop();
            await store.close();
            return given;
          };
          expect(await answers(true)).toEqual(await answers(false));
        },
      ),
      { numRuns: 25 },
    );
  });

  test('what was learnt makes the difference: without it the same value gets another answer', async () => {
    const clock = fakeClock();
    const store = await aStore(clock);
    const taught = aProgram(store, clock);
    await taught.keeper.start();
    for (let i = 0; i < 200; i += 1) ask(taught, 100 + (i % 7), clock);
    await taught.keeper.stop();
    const restarted = aProgram(store, clock);
    await restarted.keeper.start();
    const untaught = aProgram(await aStore(clock), clock);
    const last = (program: Program) => [400, 400, 400].map((value) => ask(program, value, clock)).at(-1);
    const [known, unknown] = [last(restarted), last(untaught)];
    expect([known?.is_anomaly, unknown?.is_anomaly]).toEqual([true, false]);
  });

  test('a crash loses at most the last five minutes', async () => {
    const clock = fakeClock();
    const store = await aStore(clock);
    const crashing = aProgram(store, clock);
    await crashing.keeper.start();
    ask(crashing, 100, clock, 'web-1');
    clock.advance(5 * MINUTE);
    await clock.until(() => clock.pending() === 2);
    ask(crashing, 100, clock, 'web-2');
    // Not stopped: its last series was never saved.
    const next = aProgram(store, clock);
    await next.keeper.start();
    expect(next.service.facts().series).toBe(1);
  });

  test('a series that was seen once is remembered over a restart, and models of before that are read as they are', async () => {
    const clock = fakeClock();
    const store = await aStore(clock);
    const first = aProgram(store, clock);
    await first.keeper.start();
    for (let i = 0; i < 5; i += 1) ask(first, 50, clock, 'known');
    ask(first, 50, clock, 'once');
    await first.keeper.stop();
    const second = aProgram(store, clock);
    await second.keeper.start();
    expect(ask(second, 50, clock, 'once').details.features['response_time']?.samples).toBe(1);

    const engineAlone = createEngine({ seed: 7 });
    engineAlone.teach('k', { name: 'k', unit: '', direction: 'Both' }, Float64Array.of(1, 2), Float64Array.of(1, 2));
    await store.saveBlob(OWN, engineAlone.snapshot());
    const third = aProgram(store, clock);
    await third.keeper.start();
    expect(third.service.facts().series).toBe(1);
  });

  test('nothing new is not saved again', async () => {
    const clock = fakeClock();
    const store = await aStore(clock);
    const program = aProgram(store, clock);
    await program.keeper.start();
    ask(program, 100, clock);
    await program.keeper.stop();
    await store.saveBlob(OWN, new Uint8Array([1]));
    await program.keeper.stop();
    expect(await store.loadBlob(OWN)).toEqual(new Uint8Array([1]));
  });

  const useless: readonly (readonly [what: string, bytes: Uint8Array])[] = [
    ['are cut off', new Uint8Array(10)],
    ['are of another kind', new Uint8Array(64)],
  ];
  test.each(useless)('stored models that %s are left aside, and said so', async (_what, bytes) => {
    const clock = fakeClock();
    const store = await aStore(clock);
    await store.saveBlob(OWN, bytes);
    const program = aProgram(store, clock);
    await program.keeper.start();
    expect(program.log.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('learnt anew') }]);
    expect(ask(program, 100, clock).is_anomaly).toBe(false);
  });

  test('a database that is away at the start is not written over: what it holds and what was learnt meanwhile become one', async () => {
    const clock = fakeClock();
    const store = await aStore(clock);
    const taught = aProgram(store, clock);
    await taught.keeper.start();
    for (const pod of ['a', 'b', 'c']) ask(taught, 100, clock, pod);
    await taught.keeper.stop();

    let isAway = true;
    const flaky = {
      saveBlob: (key: string, bytes: Uint8Array) => store.saveBlob(key, bytes),
      loadBlob: (key: string) => (isAway ? Promise.reject(new Error('refused')) : store.loadBlob(key)),
    };
    const program = aProgram(flaky, clock);
    await program.keeper.start();
    ask(program, 100, clock, 'd');
    clock.advance(5 * MINUTE);
    await clock.until(() => program.log.lines.length === 2);
    isAway = false;
    clock.advance(5 * MINUTE);
    await clock.until(() => program.service.facts().series === 4);
    expect(program.log.lines.at(-1)).toMatchObject({ message: 'the models are as they were' });
  });
});

describe('models of many bytes', () => {
  test.each<[string, { readonly mostBytes?: number }, boolean, number]>([
    ['are stored where nothing bounds them', {}, true, 0],
    ['are stored up to the bound', { mostBytes: 100 }, true, 0],
    ['are not stored beyond it, and somebody is told', { mostBytes: 99 }, false, 1],
  ])('%s', async (_, bound, isStored, warnings) => {
    const clock = fakeClock();
    const [store, log] = [await aStore(clock), recordedLog()];
    const takesNothing = (): void => undefined;
    const engine = {
      ...{ snapshot: () => new Uint8Array(100), seriesCount: () => 0 },
      ...{ restore: takesNothing, merge: takesNothing },
    };
    const keeper = createModelKeeper({ engine, store, key: 'many', clock, log, ...bound });
    await keeper.start();
    await keeper.stop();
    expect((await store.loadBlob(modelKey('many', SNAPSHOT_VERSION))) !== undefined).toBe(isStored);
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(warnings);
    await store.close();
  });
});

describe('models of other releases', () => {
  /** A release that can read versions up to its own, and what it learns is how often it was started. */
  function aRelease(version: number, store: Pick<ManagedStore, 'saveBlob' | 'loadBlob'>) {
    let state = { version, starts: 0 };
    const read = (bytes: Uint8Array): void => {
      const stored = JSON.parse(new TextDecoder().decode(bytes)) as typeof state;
      if (stored.version > version) throw new Error(`version ${stored.version} is not known`);
      state = { version, starts: stored.starts };
    };
    const log = recordedLog();
    const engine = {
      snapshot: () => new TextEncoder().encode(JSON.stringify({ version, starts: state.starts + 1 })),
      ...{ restore: read, merge: read, seriesCount: () => state.starts },
    };
    const keeper = createModelKeeper({ ...{ engine, store, key: 'models', version, log }, clock: fakeClock() });
    const run = async (): Promise<number> => {
      await keeper.start();
      const { starts } = state;
      await keeper.stop();
      return starts;
    };
    return { run, log };
  }

  test.each<[string, readonly number[], readonly number[]]>([
    ['the next release goes on with the models of the last', [1, 1, 2, 2], [0, 1, 2, 3]],
    ['an older one goes on with its own, and finds the newer ones’ untouched', [1, 2, 2, 1, 1, 2], [0, 1, 2, 1, 2, 3]],
    ['one that has none begins anew and spoils nothing', [3, 3, 2, 2, 3], [0, 1, 0, 1, 2]],
    ['versions may be skipped', [1, 4, 1, 4], [0, 1, 1, 2]],
  ])('%s', async (_, versions, expected) => {
    const store = await aStore(fakeClock());
    const starts: number[] = [];
    for (const version of versions) starts.push(await aRelease(version, store).run());
    expect(starts).toEqual(expected);
  });

  test('what a release before the versions had keys has stored is taken, and left as it is', async () => {
    const store = await aStore(fakeClock());
    const bytes = new TextEncoder().encode(JSON.stringify({ version: 2, starts: 7 }));
    await store.saveBlob('models', bytes);
    expect(await aRelease(2, store).run()).toBe(7);
    expect(await store.loadBlob('models')).toEqual(bytes);
    expect(await aRelease(2, store).run()).toBe(8);
  });

  test('an older release says that it leaves newer models alone', async () => {
    const store = await aStore(fakeClock());
    await aRelease(3, store).run();
    const { run, log } = aRelease(2, store);
    await run();
    expect(log.lines.filter(({ level }) => level === 'warn').map(({ facts }) => facts)).toEqual([
      { models: 'models', version: 3, own: 2 },
    ]);
  });
});
