import type { OutboundFault, OutboundPost, OutboundReply } from '../controller/ports.ts';
import type { Clock } from '../lib/clock.ts';
import type { Result } from '../lib/result.ts';
import type { Envelope } from './sink.ts';

const MAX_TRIES = 5;
const FIRST_WAIT_MS = 1000;
const MAX_WAIT_MS = 60_000;

/** What delivering needs. */
export interface DeliveryDeps {
  readonly post: OutboundPost;
  readonly clock: Clock;
  /** 0 to 1, for the jitter of the waits. */
  readonly random: () => number;
}

/** Sends until it was taken, at most five times; returns why it was not. Never rejects. */
export async function deliver(envelope: Envelope, deps: DeliveryDeps): Promise<string | undefined> {
  for (let attempt = 1; ; attempt++) {
    const reply = await deps.post(envelope);
    const failure = failureOf(reply);
    if (failure === undefined) return undefined;
    if (failure.isFinal || attempt === MAX_TRIES) return `${failure.message} (${attempt} of ${MAX_TRIES} tries)`;
    // 1, 2, 4, 8 s, each between half and the whole, unless the receiver says how long it wants peace.
    const backoffMs = FIRST_WAIT_MS * 2 ** (attempt - 1) * (0.5 + deps.random() / 2);
    await pause(deps.clock, Math.min(MAX_WAIT_MS, Math.max(backoffMs, failure.retryAfterMs ?? 0)));
  }
}

interface Failure {
  readonly message: string;
  /** Trying again cannot help: the address is forbidden or the receiver finds the request wrong. */
  readonly isFinal: boolean;
  readonly retryAfterMs?: number;
}

function failureOf(reply: Result<OutboundReply, OutboundFault>): Failure | undefined {
  if (!reply.ok)
    return { message: `${reply.error.kind}: ${reply.error.message}`, isFinal: reply.error.kind === 'Forbidden' };
  const { status, retryAfterMs } = reply.value;
  if (status >= 200 && status < 300) return undefined;
  const isFinal = status < 500 && status !== 408 && status !== 425 && status !== 429;
  return { message: `status ${status}`, isFinal, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

const pause = (clock: Clock, ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
