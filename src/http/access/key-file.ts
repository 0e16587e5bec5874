import { readFile } from 'node:fs/promises';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Problem } from '../../lib/parsed.ts';
import type { Result } from '../../lib/result.ts';
import type { ApiKey, KeyRing } from './api-key.ts';

export interface KeyFileSetting {
  readonly path: string;
  /** Reads the text of the file; the problems name places, never values. */
  readonly parse: (text: string) => Result<readonly ApiKey[], readonly Problem[]>;
  readonly ring: KeyRing;
  /** Keys from elsewhere that stay valid beside those of the file. */
  readonly fixed: readonly ApiKey[];
  readonly clock: Clock;
  readonly log: Log;
}

export interface KeyFileWatch {
  /** Resolves after the first look, whatever it found. */
  readonly loaded: Promise<void>;
  stop(): void;
}

const LOOK_EVERY_MS = 5_000;

/**
 * Keeps the ring in step with a file, looking every 5 s: mounted secrets are replaced by swapping a link, which file
 * notifications miss. A file that cannot be read or is wrong leaves the keys as they were.
 */
export function watchKeyFile({ path, parse, ring, fixed, clock, log }: KeyFileSetting): KeyFileWatch {
  let last: string | undefined;
  let lastComplaint: string | undefined;
  let cancel: (() => void) | undefined;
  let stopped = false;

  const complain = (problems: unknown): void => {
    const complaint = JSON.stringify(problems);
    if (complaint !== lastComplaint) log.error('key file is not used', { path, problems });
    lastComplaint = complaint;
  };

  const take = (text: string): void => {
    last = text;
    const keys = parse(text);
    if (!keys.ok) {
      complain(keys.error);
      return;
    }
    lastComplaint = undefined;
    ring.replace([...fixed, ...keys.value]);
    log.info('keys loaded', { keys: keys.value.length });
  };

  const look = async (): Promise<void> => {
    try {
      const text = await readFile(path, 'utf8');
      if (text !== last && !stopped) take(text);
    } catch (fault) {
      complain(fault instanceof Error ? fault.message : String(fault));
    }
    if (!stopped) cancel = clock.after(LOOK_EVERY_MS, () => void look());
  };

  return {
    loaded: look(),
    stop: () => {
      stopped = true;
      cancel?.();
    },
  };
}
