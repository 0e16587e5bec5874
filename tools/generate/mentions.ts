import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const SOURCES = join(import.meta.dirname, '..', '..', 'src');

/**
 * Of these words those that some source file other than `declaredIn` holds as a string literal. A table of names is API
 * as soon as it is written, and only the code can tell which of them it really says.
 */
export async function mentioned(words: readonly string[], declaredIn: string): Promise<ReadonlySet<string>> {
  const names = await readdir(SOURCES, { recursive: true });
  const files = names.filter((name) => name.endsWith('.ts') && name !== declaredIn);
  const texts = await Promise.all(files.map((name) => readFile(join(SOURCES, name), 'utf8')));
  const text = texts.join('\n');
  return new Set(words.filter((word) => text.includes(`'${word}'`)));
}
