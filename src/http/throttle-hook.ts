import type { OutboundPost, ThrottleHook } from '../controller/ports.ts';
import { err } from '../lib/result.ts';
import { messageOf } from '../lib/thrown.ts';

/** How the hook is reached. */
export interface ThrottleHookDeps {
  readonly url: string;
  readonly post: OutboundPost;
  /** The shared key; read for every call, since keys rotate. */
  readonly secret: () => Promise<string>;
  /** Value of the signature's header, as the webhook sink has it. */
  readonly sign: (secret: string, timestamp: string, body: string) => string;
  readonly nowMs: () => number;
}

/**
 * Signed JSON to the one address of the operator's configuration: the receiver computes HMAC-SHA256 over
 * `timestamp.body` with the shared key, as for the webhook sink, and refuses old timestamps. The idempotency key is
 * equal for a repetition and for nothing else.
 */
export function createThrottleHook(deps: ThrottleHookDeps): ThrottleHook {
  return {
    async send({ key, ...call }) {
      const body = JSON.stringify(call);
      const timestamp = String(Math.floor(deps.nowMs() / 1000));
      let secret: string;
      try {
        secret = await deps.secret();
      } catch (fault) {
        return err({ kind: 'Unsent', message: `the key of the hook cannot be read: ${messageOf(fault)}` });
      }
      return deps.post({
        url: deps.url,
        headers: {
          'content-type': 'application/json',
          'x-aegis-timestamp': timestamp,
          'x-aegis-signature': deps.sign(secret, timestamp, body),
          'idempotency-key': key,
        },
        body,
      });
    },
  };
}
