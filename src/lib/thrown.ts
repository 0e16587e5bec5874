/**
 * Text of what was thrown, without `instanceof`: an error that Node itself makes belongs to another realm where code
 * runs in a context of its own, and is no instance of that context's `Error`.
 */
const field = (thrown: unknown, name: 'code' | 'message'): string => {
  if (typeof thrown !== 'object' || thrown === null || !(name in thrown)) return '';
  const value = (thrown as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : '';
};

/** `ECONNREFUSED`, `UND_ERR_SOCKET` and the like; empty: none. */
export const codeOf = (thrown: unknown): string => field(thrown, 'code');

/** The message; something in any case. */
export const messageOf = (thrown: unknown): string =>
  typeof thrown === 'string' ? thrown : field(thrown, 'message') || 'unknown fault';
