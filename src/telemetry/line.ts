/**
 * What JSON leaves as it is but a terminal obeys: delete and the C1 controls (0x9b starts an ANSI sequence), marks
 * that reverse or hide text, line separators, the byte order mark. JSON itself escapes the C0 controls.
 */

const OBEYED = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Escapes them. They can only stand inside JSON strings, so the line stays the same JSON value. */
export function escapeControls(line: string): string {
  return line.replace(OBEYED, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Secrets shorter than this would black out ordinary words. */
const MIN_SECRET = 8;

/** Removes known secrets from a finished line, however they got there: in a message, an address, a stack. */
export function hideSecrets(secrets: readonly string[]): (line: string) => string {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < MIN_SECRET) continue;
    forms.add(JSON.stringify(secret).slice(1, -1));
    forms.add(encodeURIComponent(secret));
    forms.add(Buffer.from(secret).toString('base64'));
  }
  const known = [...forms];
  return (line) =>
    known.reduce((text, form) => (text.includes(form) ? text.replaceAll(form, '[redacted]') : text), line);
}
