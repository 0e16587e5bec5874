/** Fewest single letters to add, to take away or to change that make one text of the other (Levenshtein). */
export function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The one of these that was probably meant; `undefined`: none is near. */
export function nearest(given: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((each) => ({ each, far: distance(given.toLowerCase(), each.toLowerCase()) }))
    .toSorted((a, b) => a.far - b.far);
  const [best] = ranked;
  const isNear = best !== undefined && best.far <= Math.max(2, Math.floor(given.length / 3));
  // `lasts` for `lastsSeconds`: a part of the word counts as near.
  return isNear
    ? best.each
    : known.find((each) => given.length >= 3 && each.toLowerCase().startsWith(given.toLowerCase()));
}

/** `: did you mean "pods"?`, or everything that it may be. */
export function mend(given: string, known: readonly string[]): string {
  const near = nearest(given, known);
  return near === undefined ? `it may be ${known.join(', ')}` : `did you mean ${JSON.stringify(near)}?`;
}
