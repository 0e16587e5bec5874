import { rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** What a checkpoint may add to the file, and what removing a step of predictions writes to the log. */
const RESERVE_BYTES = 8 * 1024 * 1024;
/** Left to others when the reserve is made. */
const SPARE_BYTES = 4 * 1024 * 1024;

/** Room on the disk that is held for the day on which it is full. Neither call throws. */
export interface Reserve {
  /** Makes the reserve where it is missing and the disk has room for it. */
  keep(): void;
  giveBack(): void;
}

/**
 * A file beside the database. On a full disk even removing rows fails, since that is first written to the log, so the
 * predictions could not make room for a healing row: this file can.
 */
export function createReserve(database: string): Reserve {
  const path = `${database}.reserve`;
  const giveBack = (): void => {
    try {
      rmSync(path, { force: true });
    } catch {
      // A folder that is none, or one that may not be written: there is nothing to give back.
    }
  };
  const isKept = (): boolean => statSync(path, { throwIfNoEntry: false })?.size === RESERVE_BYTES;
  return {
    keep: () => {
      if (database === ':memory:') return;
      try {
        const { bavail, bsize } = statfsSync(dirname(database));
        if (isKept() || bavail * bsize < RESERVE_BYTES + SPARE_BYTES) return;
        // Not zeros, which a file system could leave out.
        writeFileSync(path, Buffer.alloc(RESERVE_BYTES, 'held for the day on which the disk is full\n'), {
          mode: 0o600,
        });
      } catch {
        giveBack();
      }
    },
    giveBack,
  };
}
