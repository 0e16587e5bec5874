import type { Engine } from '../detection/engine-input.ts';
import type { FirstSamples } from './first-samples.ts';

/** What survives a restart, as a model keeper needs it. */
export type ModelMemory = Pick<Engine, 'snapshot' | 'restore' | 'merge' | 'seriesCount'>;

/** Ends a snapshot that has first samples behind the engine's; bytes without it are an engine's alone. */
const MARK = 0x3153_4641;
const TRAILER_BYTES = 8;

type Entry = readonly [seriesKey: string, value: number, atMs: number, judgedAtMs: number];

/** The engine of the requests and the series that were seen once, as one: the engine's bytes, theirs, their length. */
export function requestMemory(engine: Engine, firstSamples: FirstSamples): ModelMemory {
  const keep = (entries: readonly Entry[]): void => {
    for (const [seriesKey, value, atMs, judgedAtMs] of entries) {
      // Learnt meanwhile, or seen meanwhile: the newer sample is the better one.
      if (!engine.knows(seriesKey)) firstSamples.keepOlder(seriesKey, { value, atMs, judgedAtMs });
    }
  };
  return {
    snapshot: () => joined(engine.snapshot(), firstSamples),
    restore: (bytes) => {
      const { ofEngine, entries } = parted(bytes);
      engine.restore(ofEngine);
      keep(entries);
    },
    merge: (bytes) => {
      const { ofEngine, entries } = parted(bytes);
      engine.merge(ofEngine);
      keep(entries);
    },
    seriesCount: () => engine.seriesCount() + firstSamples.count(),
  };
}

function joined(ofEngine: Uint8Array, firstSamples: FirstSamples): Uint8Array {
  if (firstSamples.count() === 0) return ofEngine;
  const entries = [...firstSamples.entries()].map(([key, { value, atMs, judgedAtMs }]): Entry => {
    return [key, value, atMs, judgedAtMs];
  });
  const text = new TextEncoder().encode(JSON.stringify(entries));
  const bytes = new Uint8Array(ofEngine.length + text.length + TRAILER_BYTES);
  bytes.set(ofEngine);
  bytes.set(text, ofEngine.length);
  const trailer = new DataView(bytes.buffer, bytes.length - TRAILER_BYTES);
  trailer.setUint32(0, text.length, true);
  trailer.setUint32(4, MARK, true);
  return bytes;
}

function parted(bytes: Uint8Array): { readonly ofEngine: Uint8Array; readonly entries: readonly Entry[] } {
  if (bytes.length < TRAILER_BYTES) return { ofEngine: bytes, entries: [] };
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - TRAILER_BYTES);
  const start = bytes.length - TRAILER_BYTES - trailer.getUint32(0, true);
  if (trailer.getUint32(4, true) !== MARK || start < 0) return { ofEngine: bytes, entries: [] };
  const text = new TextDecoder().decode(bytes.subarray(start, bytes.length - TRAILER_BYTES));
  return { ofEngine: bytes.subarray(0, start), entries: entriesOf(text) };
}

/** A damaged trailer costs its samples, not the models. */
function entriesOf(text: string): readonly Entry[] {
  try {
    return JSON.parse(text) as readonly Entry[];
  } catch {
    return [];
  }
}
