/** Counting of mutants: which of them are in the sample, and what their fates say of all of them. */

/** The part of a mutant that stays the same from run to run. */
export interface MutantPlace {
  readonly fileName: string;
  readonly location: { readonly start: { readonly line: number; readonly column: number } };
  readonly mutatorName: string;
  readonly replacement?: string | undefined;
}

export interface Tally {
  readonly killed: number;
  readonly timedOut: number;
  readonly survived: number;
  /** Survived too, since no test comes by. */
  readonly notReached: number;
}

/** FNV-1a with a last stir, as a number in [0, 1). */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/**
 * Whether a mutant is in the sample of this share (0 to 1) with this seed. It depends on nothing but the mutant: workers
 * and reporter agree, a larger share holds every smaller one, and a change of one file leaves the others' sample as it was.
 */
export function isInSample(mutant: MutantPlace, share: number, seed: number): boolean {
  const { line, column } = mutant.location.start;
  const file = mutant.fileName.replaceAll('\\', '/').replace(/^.*\/src\//, 'src/');
  const key = [seed, file, line, column, mutant.mutatorName, mutant.replacement ?? ''].join('|');
  return hashOf(key) < share;
}

export const detectedOf = ({ killed, timedOut }: Tally): number => killed + timedOut;
export const mutantsOf = (tally: Tally): number => detectedOf(tally) + tally.survived + tally.notReached;

/** The share that tests noticed, 0 to 1; NaN for no mutants. A time-out is noticed: the tests would not end. */
export const scoreOf = (tally: Tally): number => detectedOf(tally) / mutantsOf(tally);

/** Wilson's interval for a share of which `hits` of `count` were seen; z = 1.96 gives 95 %. */
export function wilsonInterval(hits: number, count: number, z = 1.96): readonly [number, number] {
  if (count === 0) return [0, 1];
  const share = hits / count;
  const spread = (z * z) / count;
  const middle = share + spread / 2;
  const half = z * Math.sqrt((share * (1 - share)) / count + spread / (4 * count));
  return [Math.max(0, (middle - half) / (1 + spread)), Math.min(1, (middle + half) / (1 + spread))];
}
