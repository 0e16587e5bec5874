import type { ServerResponse } from 'node:http';
import type { Clock } from '../lib/clock.ts';

/** Bytes that may wait for a reader before the sender is asked to wait as well. */
const HIGH_WATER_BYTES = 1024 * 1024;

/** Writes a stream no faster than it is read. */
export interface StreamWriter {
  /** False: the reader is gone, or did not read for too long and was cut off. */
  write(text: string): Promise<boolean>;
}

export function createStreamWriter(response: ServerResponse, patienceMs: number, clock: Clock): StreamWriter {
  const drained = (): Promise<boolean> =>
    new Promise((resolve) => {
      const finish = (isRead: boolean): void => {
        cancel();
        response.off('drain', onDrain).off('close', onClose);
        resolve(isRead);
      };
      const onDrain = (): void => finish(true);
      const onClose = (): void => finish(false);
      const cancel = clock.after(patienceMs, () => {
        response.destroy();
        finish(false);
      });
      response.on('drain', onDrain).on('close', onClose);
    });
  return {
    write: async (text) => {
      if (response.destroyed) return false;
      return response.write(text) || response.writableLength < HIGH_WATER_BYTES ? true : drained();
    },
  };
}
