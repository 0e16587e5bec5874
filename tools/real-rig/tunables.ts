import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a kubelet sets for the whole machine when it starts. */
const TUNABLES = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
] as const;

/** Remembers the machine's settings; the returned function puts back those that differ. */
export function rememberTunables(): () => void {
  const path = (name: string): string => join('/proc/sys', name);
  const before = TUNABLES.map((name) => [name, read(path(name))] as const);
  return () => {
    for (const [name, value] of before) {
      if (value !== undefined && read(path(name)) !== value) writeFileSync(path(name), value);
    }
  };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined; // a kernel without it
  }
}
