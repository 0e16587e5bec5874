import type { ServerResponse } from 'node:http';
import type { Clock } from '../lib/clock.ts';
import { refusalReply, sendAndClose } from './reply.ts';

/** Ends requests that do not arrive in time; a stream may take as long as it moves. */
export interface Deadlines {
  watch(response: ServerResponse, startMs: number): void;
  /** The request is a stream: whoever reads it looks at the clock. */
  release(response: ServerResponse): void;
  /** The answer is out, or nobody waits for it. */
  answered(response: ServerResponse): void;
  start(): void;
  stop(): void;
}

/**
 * One look at all requests now and then, instead of a timer each. Node's own limit cannot be lifted for one request, so
 * it is set beyond the longest stream. A request that was answered early counts until its body is over: else whoever is
 * refused could hold a connection.
 */
export function createDeadlines(requestMs: number, clock: Clock): Deadlines {
  const pending = new Map<ServerResponse, number>();
  const everyMs = Math.min(1_000, requestMs / 2);
  let cancel: (() => void) | undefined;

  const look = (): void => {
    const nowMs = clock.monotonicMs();
    for (const [response, startMs] of pending) {
      const { req: request } = response;
      if (isOver(response)) pending.delete(response);
      else if (nowMs - startMs >= requestMs) {
        pending.delete(response);
        if (response.headersSent) request.destroy();
        else sendAndClose(response, refusalReply('timeout'));
      }
    }
    cancel = clock.after(everyMs, look);
  };

  return {
    watch: (response, startMs) => {
      if (!response.req.complete) pending.set(response, startMs);
    },
    release: (response) => void pending.delete(response),
    // At once, not with the next look: thousands a second would live so long that only a full collection frees them.
    answered: (response) => {
      if (isOver(response)) pending.delete(response);
    },
    start: () => {
      cancel = clock.after(everyMs, look);
    },
    stop: () => cancel?.(),
  };
}

const isOver = ({ req: request }: ServerResponse): boolean => request.complete || request.destroyed;
