import { inWords, SECOND } from '../lib/duration.ts';

/** Two clocks that are kept by the same kind of time server agree by less; so does one that is read over a slow network. */
const TOLERANCE_MS = 5 * SECOND;
/** Quartz runs a tenth of this wrong. */
const DRIFT = 1e-3;
/** A time that nothing else confirms is believed once it has moved on for so long: one that stands still is apart by then. */
const PROVEN_AFTER_MS = 2 * TOLERANCE_MS;

/** When a reply was asked for and received, by the clock that never jumps, and what our wall clock said then. */
export interface Exchange {
  readonly sentMs: number;
  readonly receivedMs: number;
  readonly wallMs: number;
}

/** Why the time of a reply is not believed. */
export interface Disbelief {
  readonly kind: 'behind' | 'ahead';
  /** A sentence. */
  readonly message: string;
}

/** By how much the server's clock leads the one that never jumps, as far as one exchange, or many, can tell. */
interface Lead {
  readonly lowMs: number;
  readonly highMs: number;
  readonly atMs: number;
}

/**
 * The clock that stamps the samples, as the replies show it. Whether a sample is fresh is judged by this clock alone: our own
 * wall clock may be wrong, or be set while we look.
 */
export interface ServerClock {
  /** Takes the time that a reply bears; `undefined`: it is believed. */
  hear(replyMs: number, exchange: Exchange): Disbelief | undefined;
  /** Its time now; `undefined`: nothing was believed yet. */
  nowMs(monotonicMs: number): number | undefined;
  /** By how much it was ahead of our wall clock at the last reply that was believed; negative: behind; 0: they agree. */
  aheadMs(): number;
}

/**
 * A time is believed that moves on with the clock that never jumps. One that lies behind what was believed before is a cache's, or
 * the server was set back and shows again what was an hour ago: nothing is believed until it has caught up, as the server
 * itself takes no new samples until then. One that leaps ahead, or a first one that our wall clock contradicts, must move on
 * as it ought to for some seconds.
 */
export function createServerClock(): ServerClock {
  let known: Lead | undefined;
  let candidate: Lead | undefined;
  let newestMs = Number.NEGATIVE_INFINITY;
  let aheadMs = 0;

  const believe = (lead: Lead, replyMs: number, ahead: number): undefined => {
    known = lead;
    candidate = undefined;
    newestMs = replyMs;
    aheadMs = ahead;
    return undefined;
  };

  return {
    hear(replyMs, { sentMs, receivedMs, wallMs }) {
      const heard = { lowMs: replyMs - receivedMs, highMs: replyMs - sentMs, atMs: receivedMs };
      const ahead = replyMs - wallMs;
      if (known !== undefined) {
        const apartMs = distance(known, heard);
        if (apartMs === 0) return believe(narrowed(known, heard), replyMs, ahead);
        if (replyMs < newestMs) return { kind: 'behind', message: behind(-apartMs) };
      }
      if (Math.abs(ahead) <= TOLERANCE_MS) return believe(heard, replyMs, ahead);
      const goesOn = candidate !== undefined && distance(candidate, heard) === 0;
      if (!goesOn) candidate = heard;
      else if (candidate !== undefined && sentMs - candidate.atMs >= PROVEN_AFTER_MS)
        return believe(heard, replyMs, ahead);
      return { kind: ahead > 0 ? 'ahead' : 'behind', message: unproven(ahead) };
    },
    nowMs: (monotonicMs) => (known === undefined ? undefined : known.lowMs + monotonicMs),
    aheadMs: () => (Math.abs(aheadMs) > TOLERANCE_MS ? Math.round(aheadMs) : 0),
  };
}

/** How far the second lies outside of what the first allows by then: 0: it does not; negative: behind. */
function distance(first: Lead, second: Lead): number {
  const slackMs = TOLERANCE_MS + DRIFT * (second.atMs - first.atMs);
  if (second.highMs < first.lowMs - slackMs) return second.highMs - first.lowMs;
  return second.lowMs > first.highMs + slackMs ? second.lowMs - first.highMs : 0;
}

/** What both allow; the older of them has drifted since. */
function narrowed(first: Lead, { lowMs, highMs, atMs }: Lead): Lead {
  const driftMs = DRIFT * (atMs - first.atMs);
  const low = Math.max(first.lowMs - driftMs, lowMs);
  return { lowMs: low, highMs: Math.max(low, Math.min(first.highMs + driftMs, highMs)), atMs };
}

const behind = (ms: number): string =>
  `the time of the reply is ${inWords(ms)} behind that of earlier ones: a cache, or a clock of the server that was set back; nothing is believed until it has caught up`;

const unproven = (aheadMs: number): string =>
  `the clock of the server is ${inWords(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead of' : 'behind'} ours; its replies are believed once it has moved on for some seconds`;
