import { readFileSync } from 'node:fs';
import type { Server } from 'node:https';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';

/** PEM files of the certificate chain and its key. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  readonly minVersion: 'TLSv1.2';
}

const LOOK_EVERY_MS = 10_000;

/** Reads both files; throws what the file system or the parser says. */
export function readTls({ certFile, keyFile }: TlsFiles): TlsMaterial {
  return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8'), minVersion: 'TLSv1.2' };
}

/**
 * Takes over a renewed certificate without a restart, looking every 10 s; open connections go on with the old one. A
 * pair that cannot be used leaves the old one in place. Returns the function that stops looking.
 */
export function watchTls(server: Server, files: TlsFiles, { clock, log }: { clock: Clock; log: Log }): () => void {
  let current = fingerprint(readTls(files));
  let cancel: () => void;
  let complained = false;
  const look = (): void => {
    try {
      const next = readTls(files);
      if (fingerprint(next) !== current) {
        server.setSecureContext(next);
        current = fingerprint(next);
        log.info('certificate taken over', { certFile: files.certFile });
      }
      complained = false;
    } catch (error) {
      if (!complained) log.error('certificate cannot be taken over', { certFile: files.certFile, error });
      complained = true;
    }
    cancel = clock.after(LOOK_EVERY_MS, look);
  };
  cancel = clock.after(LOOK_EVERY_MS, look);
  return () => cancel();
}

const fingerprint = ({ cert, key }: TlsMaterial): string => `${cert}\n${key}`;
