/** A string literal of PromQL and LogQL: what it holds can never end it. */
export function quote(value: string): string {
  let text = '"';
  for (const char of value) text += escaped(char);
  return text + '"';
}

function escaped(char: string): string {
  if (char === '"' || char === '\\') return `\\${char}`;
  const code = char.codePointAt(0) ?? 0;
  const isPlain = code >= 0x20 && code !== 0x7f && !(code >= 0xd800 && code <= 0xdfff);
  return isPlain ? char : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** Matches exactly one of the values; both languages anchor regular expressions by themselves. No value matches nothing. */
export function oneOf(label: string, values: readonly string[]): string {
  // An empty alternative would match every series that lacks the label: the opposite of "none".
  if (values.length === 0) return `${label}=~"[^\\\\s\\\\S]"`;
  const [only] = values;
  if (values.length === 1 && only !== undefined) return `${label}=${quote(only)}`;
  return `${label}=~${quote(values.map(escapeRegex).join('|'))}`;
}

/** Escapes for RE2. */
function escapeRegex(value: string): string {
  return value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
