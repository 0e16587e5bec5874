/** Control characters but tab and line feed: they would move the cursor of whoever reads the object. */
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/**
 * A text that the API server takes: control characters become U+FFFD, and what is too long ends in an ellipsis. Texts
 * that workloads wrote reach evidence and messages, and an object that is refused for one could not be acted on.
 */
export function fitText(text: string, maxLength: number): string {
  const clean = text.toWellFormed().replace(CONTROL, '\uFFFD');
  if (clean.length <= maxLength) return clean;
  // Half of a surrogate pair is no character: drop it rather than send invalid text.
  return `${clean.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
