/** A star stands for any text: `evict checkout-*`, `svc-*`. */
export function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*');
  const [first = '', ...rest] = parts;
  if (rest.length === 0) return pattern === text;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const [i, part] of rest.entries()) {
    const found =
      i === rest.length - 1
        ? text.length - part.length >= at && text.endsWith(part)
          ? text.length
          : -1
        : text.indexOf(part, at);
    if (found < 0) return false;
    at = found + (i === rest.length - 1 ? 0 : part.length);
  }
  return true;
}
