/** Stands for what varies from line to line. */
export const VARIABLE = '<*>';

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isLetter = (code: number): boolean => (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
const isHexLetter = (code: number): boolean => (code >= 65 && code <= 70) || (code >= 97 && code <= 102);

const CALENDAR: ReadonlySet<string> = new Set(
  'Mon Tue Wed Thu Fri Sat Sun Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' '),
);

/**
 * A token with its varying part masked; by hand and not by expressions, since every token of every line passes here.
 * What stands before the first digit and after the last one stays, so `code=17,` is `code=<*>,` and `node-246` is
 * `node<*>` (a sign goes with its number); numbers written in hexadecimal, addresses and identifiers vary as a whole.
 */
export function maskToken(token: string): string {
  let first = -1;
  let last = -1;
  for (let i = 0; i < token.length; i++) {
    if (!isDigit(token.charCodeAt(i))) continue;
    if (first < 0) first = i;
    last = i;
  }
  if (first < 0) return CALENDAR.has(token) ? VARIABLE : token;
  return token.slice(0, startOf(token, first)) + VARIABLE + token.slice(endOf(token, last));
}

/** Back over hexadecimal letters to the separator before them; a word that ends in a digit keeps its letters. */
function startOf(token: string, first: number): number {
  let i = first;
  while (i > 0 && isHexLetter(token.charCodeAt(i - 1))) i -= 1;
  const isWord = i > 0 && isLetter(token.charCodeAt(i - 1));
  return isWord ? first : signBefore(token, i);
}

const signBefore = (token: string, at: number): number => (at > 0 && '-+'.includes(token.charAt(at - 1)) ? at - 1 : at);

/** On over the letters of a unit or of a number in hexadecimal: `12ms`, `3f2a`. */
function endOf(token: string, last: number): number {
  let i = last + 1;
  while (i < token.length && isLetter(token.charCodeAt(i))) i += 1;
  return i;
}
