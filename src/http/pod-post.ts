import http from 'node:http';
import { isIP } from 'node:net';
import type { OutboundFault, PostToPod } from '../controller/ports.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { codeOf, messageOf } from '../lib/thrown.ts';
import { classOf, type AddressClass } from './address-class.ts';

/** Where no pod is, whatever its status says: this machine, its link and its cloud's metadata, nobody and everybody. */
const NEVER: ReadonlySet<AddressClass> = new Set<AddressClass>(['loopback', 'link-local']);
const NOBODY = /^(0\.|22[4-9]\.|23\d\.|255\.255\.255\.255$|::$|ff)/i;
/** Of the reply only its status counts; a pod that sends more is cut off. */
const MAX_BYTES = 64 * 1024;

export interface PodPostOptions {
  /** Addresses of the API server. */
  readonly apiServer: readonly string[];
  /** Whether a pod may be there; default: anywhere but here, on the link, or nowhere. */
  readonly mayBeAt?: (address: string) => boolean;
}

/**
 * A client for pods' own addresses, which come from the API server and from nobody's text. A connection of its own each
 * time, so that nothing is ever repeated on one that was closed; no redirect is followed and no credential sent.
 */
export function createPodPost(options: PodPostOptions): PostToPod {
  const mayBeAt = options.mayBeAt ?? mayBeAPod;
  return async ({ address, port, path, timeoutMs }) => {
    if (isIP(address) === 0 || options.apiServer.includes(address) || !mayBeAt(address)) {
      return err({ kind: 'Forbidden', message: `${address} is no address of a pod` });
    }
    const host = isIP(address) === 6 ? `[${address}]` : address;
    const signal = AbortSignal.timeout(timeoutMs);
    const call = http.request(new URL(path, `http://${host}:${port}`), {
      method: 'POST',
      agent: false,
      signal,
      headers: { 'user-agent': 'aegis', 'content-length': '0', connection: 'close' },
    });
    let isConnected = false;
    call.once('socket', (socket) => socket.once('connect', () => (isConnected = true)));
    return exchange(
      call,
      () => faultMessage(signal, timeoutMs),
      () => isConnected,
    );
  };
}

function mayBeAPod(address: string): boolean {
  return !NEVER.has(classOf(address)) && !NOBODY.test(address);
}

const faultMessage = (signal: AbortSignal, timeoutMs: number): string | undefined =>
  signal.aborted ? `no complete reply within ${timeoutMs} ms` : undefined;

function exchange(
  call: http.ClientRequest,
  timedOut: () => string | undefined,
  isConnected: () => boolean,
): Promise<Result<{ readonly status: number }, OutboundFault>> {
  return new Promise((resolve) => {
    const fail = (error: unknown): void => {
      const late = timedOut();
      const message = late ?? `${codeOf(error)} ${messageOf(error)}`.trim();
      resolve(err({ kind: !isConnected() ? 'Unsent' : late === undefined ? 'Broken' : 'Timeout', message }));
    };
    call.on('error', fail);
    call.once('response', (reply) => {
      let size = 0;
      const status = reply.statusCode ?? 0;
      reply.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_BYTES) reply.destroy();
      });
      reply.on('error', fail);
      // The head is the answer; a body that is cut off changes nothing of it.
      reply.on('close', () => resolve(ok({ status })));
    });
    call.end();
  });
}
