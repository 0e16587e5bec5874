import type { z } from 'zod';
import type { Problem } from '../lib/parsed.ts';
import { err, ok, type Result } from '../lib/result.ts';

/** Reads a JSON file of named things. Problems name the place and never show a value: it may be a secret. */
export function readJsonFile<S extends z.ZodType, T>(
  setting: string,
  text: string,
  schema: S,
  build: (parsed: z.output<S>) => { readonly value: T; readonly names: readonly string[] },
): Result<T, readonly Problem[]> {
  const problem = (path: string, message: string): Problem => ({
    path: path === '' ? setting : `${setting}: ${path}`,
    reason: 'ConfigInvalid',
    message,
  });
  const json = parseJson(text);
  if (json === undefined) return err([problem('', 'the file is no JSON')]);
  const parsed = schema.safeParse(json.value);
  if (!parsed.success) return err(parsed.error.issues.map((issue) => problem(issue.path.join('.'), issue.message)));
  const { value, names } = build(parsed.data);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  return twice.length === 0 ? ok(value) : err(twice.map((name) => problem('', `the name ${name} is there twice`)));
}

function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined; // the parser's message would show a piece of the file
  }
}
