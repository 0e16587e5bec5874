import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { createEngine } from '../../../src/detection/engine.ts';
import type { Engine } from '../../../src/detection/engine-input.ts';
import { SNAPSHOT_VERSION, SnapshotError } from '../../../src/detection/state/snapshot.ts';
import { metricSpec } from '../../../src/detection/metric-profile.ts';
import type { Score } from '../../../src/detection/verdict.ts';
import { SimulatedWorkload } from '../../support/simulated-workload.ts';

/** Two series of 2,000 samples as the first release stored them, what they saw next, and what it said of that. */
const VERSION_1 = JSON.parse(
  readFileSync(new URL('../../support/engine-snapshot-v1.json', import.meta.url), 'utf8'),
) as {
  readonly snapshot: string;
  readonly next: readonly { readonly poll: number; readonly metric: string; readonly value: number }[];
  readonly verdicts: readonly { readonly verdict: Score; readonly detectors: readonly Score[] }[];
};

const engineOf = (): Engine => createEngine({ seed: 1, shapeFor: ({ name }) => name === 'request_rate' });
const simulation = (seed: number): SimulatedWorkload =>
  new SimulatedWorkload({ seed, pods: 3, intervalMs: 60_000, minSamples: 30 });

/** An engine that has seen two workloads for hours. */
function learned(): { engine: Engine; next: () => string } {
  const engine = engineOf();
  const workloads = [simulation(1), simulation(2)];
  const next = (): string => workloads.map((workload) => JSON.stringify(engine.judge(workload.poll()))).join('\n');
  for (let i = 0; i < 260; i++) next();
  return { engine, next };
}

describe('snapshots', () => {
  test('restored, every later verdict is bit-equal, and so is the next snapshot', () => {
    const one = learned();
    const two = learned();
    const bytes = one.engine.snapshot();
    const restored = engineOf();
    restored.restore(bytes);
    expect(restored.seriesCount()).toBe(36);
    expect(Buffer.compare(restored.snapshot(), bytes)).toBe(0);
    const [a, b] = [simulation(3), simulation(3)];
    for (let i = 0; i < 50; i++) {
      expect(JSON.stringify(restored.judge(a.poll()))).toBe(JSON.stringify(two.engine.judge(b.poll())));
    }
    two.engine.restore(bytes);
    expect(Buffer.compare(two.engine.snapshot(), bytes)).toBe(0);
  });

  test('the learnt series themselves go on bit-equally', () => {
    const { engine, next } = learned();
    const bytes = engine.snapshot();
    const expected = Array.from({ length: 30 }, next);
    engine.restore(bytes);
    const replay = learned();
    replay.engine.restore(bytes);
    expect(Array.from({ length: 30 }, replay.next)).toEqual(expected);
  });

  test('equal calls in equal order give equal bytes', () => {
    expect(Buffer.compare(learned().engine.snapshot(), learned().engine.snapshot())).toBe(0);
  });

  test('an empty engine can be saved and restored', () => {
    const engine = engineOf();
    engine.restore(engineOf().snapshot());
    expect(engine.seriesCount()).toBe(0);
  });

  const whole = learned().engine.snapshot().slice();
  const damaged = (change: (bytes: Uint8Array) => Uint8Array | void): Uint8Array => {
    const bytes = whole.slice();
    return change(bytes) ?? bytes;
  };
  test.each<[string, () => Uint8Array, RegExp]>([
    [
      'of a newer version',
      () => damaged((bytes) => void (bytes[4] = SNAPSHOT_VERSION + 1)),
      /version 3 is not known; this engine reads versions 1 and 2/,
    ],
    ['of no version', () => damaged((bytes) => void (bytes[4] = 0)), /version 0 is not known/],
    ['that is something else', () => damaged((bytes) => void (bytes[0] = 0)), /not a snapshot/],
    ['cut off', () => damaged((bytes) => bytes.slice(0, -400)), /cut off/],
    ['with one flipped bit', () => damaged((bytes) => void (bytes[5000] = (bytes[5000] ?? 0) ^ 1)), /checksum/],
    ['that is empty', () => new Uint8Array(0), /too short/],
    ['of a length that is no multiple of four', () => new Uint8Array(33), /too short/],
  ])('a snapshot %s is refused with the reason, and the state stays', (_, bytes, reason) => {
    const engine = engineOf();
    engine.restore(whole);
    const before = engine.snapshot();
    let error: unknown;
    try {
      engine.restore(bytes());
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(SnapshotError);
    expect(String(error)).toMatch(reason);
    expect(Buffer.compare(engine.snapshot(), before)).toBe(0);
  });

  test('one of version 1 is migrated: the next scores are those that version 1 gave, and it is saved as version 2', () => {
    const engine = engineOf();
    engine.restore(gunzipSync(Buffer.from(VERSION_1.snapshot, 'base64')));
    const settings = { anomalyThreshold: 0.85, minSamples: 30, maxSampleAgeMs: 120_000, intervalMs: 60_000 };
    const verdicts = VERSION_1.next.map(({ poll, metric, value }) => {
      const atMs = 1_760_000_000_000 + poll * 60_000;
      return engine.judgeSeries(`w/${metric}`, metricSpec(metric), { kind: 'value', value, atMs }, settings, atMs);
    });
    expect(verdicts.map(({ verdict, detectors }) => ({ verdict, detectors }))).toEqual(VERSION_1.verdicts);
    expect(engine.snapshot()[4]).toBe(SNAPSHOT_VERSION);
    const again = engineOf();
    again.restore(engine.snapshot());
    expect(Buffer.compare(again.snapshot(), engine.snapshot())).toBe(0);
  });

  test('bytes at an odd address are read as well', () => {
    const bytes = whole;
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    const engine = engineOf();
    engine.restore(shifted.subarray(1));
    expect(engine.seriesCount()).toBe(36);
  });
});
