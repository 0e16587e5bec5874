import { z } from 'zod';
import type { Problem } from '../lib/parsed.ts';
import { readJsonFile } from './json-file.ts';
import type { Result } from '../lib/result.ts';

/** The key of the old guide's examples. Everybody knows it, so it opens nothing but a developer's own machine. */
export const DEVELOPMENT_KEY = 'dev_api_key';

/** What stands for a key in that guide's `.env`: left as it is, everybody knows it, too. */
export const PLACEHOLDER_KEY = 'your_secure_api_key_here';

/** Name of the key in `API_KEY`. No key of a file can be called so: they would share a limit, and one the other's deeds. */
export const API_KEY_NAME = 'API_KEY';

/** What a key may be used for; `admin` includes the others. */
export const SCOPES = ['detect', 'evaluate', 'read', 'approve', 'admin'] as const;
type ApiScope = (typeof SCOPES)[number];

/** A key that is known by its hash alone. */
export interface ApiKey {
  /** Shows up in logs and as `key:NAME` in approvals. */
  readonly name: string;
  /** SHA-256 of the key, 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  readonly scopes: readonly ApiScope[];
  /** Absent: it does not expire. */
  readonly expiresAtMs?: number;
}

const KeysFile = z.object({
  keys: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, { error: 'must be a DNS label' }),
        sha256: z.string().regex(/^[0-9a-f]{64}$/, { error: 'must be 64 lower-case hexadecimal digits' }),
        scopes: z.array(z.enum(SCOPES)).min(1),
        expires: z.iso.datetime({ offset: true }).optional(),
      }),
    )
    .max(1000),
});

/** Reads the file's text. Problems name the place, never a value. Read it again to reload. */
export function parseKeysFile(text: string): Result<readonly ApiKey[], readonly Problem[]> {
  return readJsonFile('API_KEYS_FILE', text, KeysFile, ({ keys }) => ({
    value: keys.map(({ expires, ...key }) => ({
      ...key,
      ...(expires !== undefined && { expiresAtMs: Date.parse(expires) }),
    })),
    names: keys.map(({ name }) => name),
  }));
}
