import { readFile, stat } from 'node:fs/promises';

/** A mounted file (token, password, CA) that may be replaced while we run. */
export interface SecretFile {
  /** Its text without surrounding blanks; rejects if it cannot be read. */
  read(): Promise<string>;
  /** Forgets what was read: the server refused it, so it may have been rotated. */
  forget(): void;
}

/** Looks at the file at most every `recheckMs`, and reads it again when inode, size or time have changed. */
export function createSecretFile(path: string, recheckMs = 5000): SecretFile {
  let known: { readonly stamp: string; readonly text: string } | undefined;
  let checkedAt = Number.NEGATIVE_INFINITY;
  return {
    async read() {
      if (known !== undefined && performance.now() - checkedAt < recheckMs) return known.text;
      const { ino, size, mtimeMs } = await stat(path);
      const stamp = `${ino} ${size} ${mtimeMs}`;
      if (known?.stamp !== stamp) known = { stamp, text: (await readFile(path, 'utf8')).trim() };
      checkedAt = performance.now();
      return known.text;
    },
    forget() {
      known = undefined;
    },
  };
}
